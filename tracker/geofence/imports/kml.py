"""KML 2.2 (OGC 07-147r2): the points, lines and polygons of its placemarks, each a fence of its own."""

from collections.abc import Iterator
from typing import Any

from tracker.geofence.imports._format import Found
from tracker.geofence.imports._xml import Element, number, tree


class Kml:
    """Reads the placemarks of a KML file."""

    name = "kml"
    title = "KML"

    def matches(self, head: bytes) -> bool:
        """Tell whether the outermost element is `kml`."""
        return b"<kml" in head

    def read(self, content: bytes) -> Iterator[Found]:
        """Yield the geometries in the order of the file, numbers of the extended data as properties.

        Raises:
            Invalid: of `file`: it cannot be read.
        """
        count = 0
        for placemark in tree(content).every("Placemark"):
            properties = _properties(placemark)
            for each in placemark.every("Point", "LineString", "LinearRing", "Polygon"):
                count += 1
                yield Found(count, placemark.text_of("name"), _geometry(each), properties)


def _properties(placemark: Element) -> dict[str, Any]:
    found = {}
    for data in placemark.every("Data", "SimpleData"):
        value = number(data.text_of("value") or data.text)
        if value is not None:
            found[data.attributes.get("name", "")] = value
    return found


def _geometry(element: Element) -> dict[str, Any]:
    if element.name == "Polygon":
        rings = [
            _places(ring)
            for side in ("outerBoundaryIs", "innerBoundaryIs")
            for boundary in element.children
            if boundary.name == side
            for ring in boundary.every("LinearRing")
        ]
        return {"type": "Polygon", "coordinates": rings}
    places = _places(element)
    if element.name == "LinearRing":
        return {"type": "Polygon", "coordinates": [places]}
    if element.name == "Point":
        return {"type": "Point", "coordinates": places[0] if places else []}
    return {"type": "LineString", "coordinates": places}


def _places(element: Element) -> list[list[float | None]]:
    # Tuples are parted by spaces; some writers also put spaces after the commas.
    text = ",".join(part.strip() for part in element.text_of("coordinates").split(","))
    return [[number(part) for part in place.split(",")[:2]] for place in text.split()]


FORMAT = Kml()
