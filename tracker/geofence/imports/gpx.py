"""GPX 1.0 and 1.1 (https://www.topografix.com/GPX/1/1/): waypoints are points, routes and tracks lines."""

from collections.abc import Iterable, Iterator
from typing import Any

from tracker.geofence.imports._format import Found
from tracker.geofence.imports._xml import Element, number, tree


class Gpx:
    """Reads the waypoints, routes and tracks of a GPX file."""

    name = "gpx"
    title = "GPX"

    def matches(self, head: bytes) -> bool:
        """Tell whether the outermost element is `gpx`."""
        return b"<gpx" in head

    def read(self, content: bytes) -> Iterator[Found]:
        """Yield the geometries in the order of the file.

        Raises:
            Invalid: of `file`: it cannot be read.
        """
        for count, (name, geometry) in enumerate(_geometries(tree(content)), 1):
            yield Found(count, name, geometry, {})


def _geometries(top: Element) -> Iterator[tuple[str, dict[str, Any]]]:
    for element in top.every("wpt", "rte", "trk"):
        name = element.text_of("name")
        if element.name == "wpt":
            yield name, {"type": "Point", "coordinates": _place(element)}
        elif element.name == "rte":
            yield name, _line(element.every("rtept"))
        else:
            for segment in element.every("trkseg"):
                yield name, _line(segment.every("trkpt"))


def _line(points: Iterable[Element]) -> dict[str, Any]:
    return {"type": "LineString", "coordinates": [_place(point) for point in points]}


def _place(element: Element) -> list[float | None]:
    return [number(element.attributes.get("lon", "")), number(element.attributes.get("lat", ""))]


FORMAT = Gpx()
