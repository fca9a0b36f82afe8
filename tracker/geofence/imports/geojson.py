"""GeoJSON (RFC 7946): a geometry, a feature, a collection of either, and feature collections."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from tracker.domain.errors import Invalid
from tracker.geofence.imports._format import Found

NAMES = ("name", "title", "Name")
DEPTH = 8


class GeoJson:
    """Reads the geometries of a GeoJSON file."""

    name = "geojson"
    title = "GeoJSON"

    def matches(self, head: bytes) -> bool:
        """Tell whether it is a JSON object."""
        return head.lstrip()[:1] == b"{"

    def read(self, content: bytes) -> Iterator[Found]:
        """Yield the geometries in the order of the file.

        Raises:
            Invalid: of `file`: it is not JSON.
        """
        try:
            whole = json.loads(content)
        except (ValueError, RecursionError):
            raise Invalid(("file", "is damaged or not complete")) from None
        for number, (geometry, properties) in enumerate(_geometries(whole, {}, 0), 1):
            yield Found(number, _name(properties), geometry, properties)


def _geometries(
    value: object, properties: Mapping[str, Any], depth: int
) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    if depth > DEPTH:
        return
    whole = value if isinstance(value, dict) else {}
    kind = str(whole.get("type"))
    if kind == "Feature":
        known = whole.get("properties")
        yield from _geometries(whole.get("geometry"), known if isinstance(known, dict) else {}, depth + 1)
    elif kind in {"FeatureCollection", "GeometryCollection"}:
        members = whole.get("features" if kind == "FeatureCollection" else "geometries")
        for member in members if isinstance(members, list) else []:
            yield from _geometries(member, properties, depth + 1)
    else:
        # Whatever it is, the shapes say what is wrong with it.
        yield whole, properties


def _name(properties: Mapping[str, Any]) -> str:
    found = next((properties[name] for name in NAMES if isinstance(properties.get(name), str)), "")
    return str(found)


FORMAT = GeoJson()
