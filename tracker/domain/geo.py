"""A place on the globe."""

import math
from dataclasses import dataclass

EARTH_RADIUS_M = 6_371_008.8
"""Mean radius of the GRS 80 ellipsoid, metres (Moritz 2000)."""


@dataclass(frozen=True, slots=True, init=False)
class LatLon:
    """A WGS 84 place in degrees: lat -90..90 north, lon -180..180 east.

    Raises:
        ValueError: a coordinate is not finite or out of range.
    """

    lat: float
    lon: float

    # By hand: ingest makes one of each message, and the generated way costs three times as much.
    def __init__(self, *, lat: float, lon: float) -> None:
        # What is no number is not within anything.
        if not -90 <= lat <= 90:
            raise ValueError("lat is not within -90..90")
        if not -180 <= lon <= 180:
            raise ValueError("lon is not within -180..180")
        _set(self, "lat", lat)
        _set(self, "lon", lon)


_set = object.__setattr__


def distance_m(a: LatLon, b: LatLon) -> float:
    """Return the great-circle distance in metres (haversine; within 0.6 % of the ellipsoid)."""
    lat_a, lat_b = math.radians(a.lat), math.radians(b.lat)
    half = (
        math.sin((lat_b - lat_a) / 2) ** 2
        + math.cos(lat_a) * math.cos(lat_b) * math.sin(math.radians(b.lon - a.lon) / 2) ** 2
    )
    return 2 * EARTH_RADIUS_M * math.asin(min(1.0, math.sqrt(half)))
