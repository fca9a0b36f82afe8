"""What a fence covers in degrees, cut at the 180th meridian as RFC 7946, 3.1.9 asks."""

from collections.abc import Sequence
from typing import Any

import shapely
from shapely import affinity
from shapely.geometry.base import BaseGeometry

from tracker.domain.geo import LatLon
from tracker.geofence.shapes._ground import LonLat, unwrapped

_TURNS = (-720.0, -360.0, 0.0, 360.0, 720.0)


def filled(outer: Sequence[LonLat], holes: Sequence[Sequence[LonLat]] = ()) -> BaseGeometry:
    """Return what open rings of lon and lat bound; an outer ring around a pole bounds that pole's cap."""
    shell = _closed(outer)
    turn = shell[-1][0] - shell[0][0]
    if turn:
        pole = 90.0 if sum(lat for _, lat in outer) > 0 else -90.0
        shell += [(shell[-1][0], pole), (shell[0][0], pole)]
    return cut(shapely.Polygon(shell, [near(_closed(hole), shell) for hole in holes]))


def _closed(ring: Sequence[LonLat]) -> list[LonLat]:
    return unwrapped([LatLon(lat=lat, lon=lon) for lon, lat in (*ring, ring[0])])


def near(ring: Sequence[LonLat], other: Sequence[LonLat]) -> list[LonLat]:
    """Return a ring moved by whole turns of the globe to where it is nearest to another's middle."""
    west, east = min(lon for lon, _ in other), max(lon for lon, _ in other)
    middle = sum(lon for lon, _ in ring) / len(ring)
    turns = round(((west + east) / 2 - middle) / 360)
    return [(lon + 360 * turns, lat) for lon, lat in ring]


def cut(area: Any) -> BaseGeometry:
    """Return an area whose longitudes run on beyond 180 as a valid one within -180..180."""
    west, south, east, north = area.bounds
    if west >= -180 and east <= 180:
        return _areas([area])
    window = shapely.box(-180, min(south, -90), 180, max(north, 90))
    turned = [
        affinity.translate(area, xoff=turn) for turn in _TURNS if west + turn < 180 and east + turn > -180
    ]
    pieces = [shapely.intersection(each, window) for each in turned]
    # What goes right around meets itself again at the meridian where it was begun.
    return _areas([shapely.union_all(pieces)] if east - west >= 360 else pieces)


def _areas(found: Sequence[Any]) -> BaseGeometry:
    parts = [
        part
        for each in found
        for part in getattr(each, "geoms", (each,))
        if part.geom_type == "Polygon" and not part.is_empty
    ]
    return parts[0] if len(parts) == 1 else shapely.MultiPolygon(parts)
