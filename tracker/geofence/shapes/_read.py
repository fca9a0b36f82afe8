"""Reads numbers and places of GeoJSON that anybody may have sent."""

import math

from tracker.domain.errors import Invalid
from tracker.domain.geo import LatLon
from tracker.domain.geofence import EXTENT_MOST_M, VERTICES_MOST
from tracker.geofence.shapes._ground import DEGREE_M
from tracker.geofence.shapes._shape import Box

_DEPTH = 3
"""Of a MultiPolygon: parts, rings, points."""


def number(value: object, field: str, least: float, most: float) -> float:
    """Return a number within `least`..`most`.

    Raises:
        Invalid: of `field`: it is missing, no number, not finite or out of range.
    """
    if value is None:
        raise Invalid((field, "this field is required"))
    found = _float(value)
    if found is None:
        raise Invalid((field, "must be a number"))
    if found < least:
        raise Invalid((field, "is too small"))
    if found > most:
        raise Invalid((field, "is too large"))
    return found


def _float(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        found = float(value)
    except OverflowError:
        return 1e308 if value > 0 else -1e308
    return found if math.isfinite(found) else None


def point(value: object) -> LatLon:
    """Return the place of a GeoJSON position; an altitude is passed over.

    Raises:
        Invalid: it is no position, or out of range.
    """
    if not isinstance(value, list | tuple) or len(value) < 2:
        raise Invalid(("geometry", "has a point that is no pair of longitude and latitude"))
    lon, lat = _float(value[0]), _float(value[1])
    if lon is None or lat is None:
        raise Invalid(("geometry", "has a point whose longitude or latitude is no number"))
    if not -90 <= lat <= 90:
        raise Invalid(("geometry", "has a latitude beyond 90 degrees; GeoJSON puts the longitude first"))
    if not -180 <= lon <= 180:
        raise Invalid(("geometry", "has a longitude beyond 180 degrees"))
    return LatLon(lat=lat, lon=lon)


def line(value: object) -> list[LatLon]:
    """Return the places of a list of positions; one that repeats the place before it is left out.

    Raises:
        Invalid: it is no list, or holds what is no place.
    """
    if not isinstance(value, list | tuple):
        raise Invalid(("geometry", "has no list of points where one must be"))
    places: list[LatLon] = []
    for each in value:
        place = point(each)
        if not places or places[-1] != place:
            places.append(place)
    return places


def check_count(value: object) -> None:
    """Look how many points there are before any of them is read; the last of a ring counts too.

    Raises:
        Invalid: more than 10,000.
    """
    if _positions(value, 0) > VERTICES_MOST:
        raise Invalid(("geometry", "has more than 10,000 points"))


def _positions(value: object, depth: int) -> int:
    if not isinstance(value, list | tuple) or not value or depth > _DEPTH:
        return 0
    if not isinstance(value[0], list | tuple):
        return 1
    return sum(_positions(each, depth + 1) for each in value)


def check_extent(box: Box) -> None:
    """Refuse what is larger than 1,000 km from corner to corner.

    Raises:
        Invalid: it is.
    """
    nearest = 0.0 if box.south <= 0 <= box.north else min(abs(box.south), abs(box.north))
    # Around a pole, the way over it is the shorter one.
    wide = min((box.east - box.west) * math.cos(math.radians(nearest)), 2 * (90 - nearest))
    if math.hypot(box.north - box.south, wide) * DEGREE_M > EXTENT_MOST_M:
        raise Invalid(("geometry", "is larger than 1,000 km"))
