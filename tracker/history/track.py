"""A track: the fixes of one device in the order they were recorded, whatever order they came in."""

import math
import operator
from collections.abc import Iterable, Sequence
from typing import NamedTuple, Protocol

from tracker.domain.geo import EARTH_RADIUS_M

DEGREE_M = math.radians(1) * EARTH_RADIUS_M
"""The length of a degree of latitude."""
_FAR_DEGREES = 5.0
"""Beyond this the flat approximation of `apart_m` is no longer within a thousandth."""


COARSE_M = 300.0
"""Fixes less sure than this (of cells, of a first guess) tell the district, and no way."""


class Located(Protocol):
    """What outliers and gaps need to know of a position; any row of the store that tells it will do."""

    @property
    def recorded_at(self) -> float: ...
    @property
    def lat(self) -> float: ...
    @property
    def lon(self) -> float: ...
    @property
    def accuracy_m(self) -> float | None: ...
    @property
    def altitude_m(self) -> float | None: ...


class Fix(NamedTuple):
    """What history takes of a position; None is unknown, `recorded_at` is in epoch seconds."""

    recorded_at: float
    lat: float
    lon: float
    accuracy_m: float | None = None
    altitude_m: float | None = None
    speed_mps: float | None = None
    ignition: bool | None = None
    odometer_m: float | None = None


def ordered(fixes: Iterable[Fix]) -> list[Fix]:
    """Return the fixes by time, one for each moment: of several the most accurate, then the smallest.

    The same set of fixes gives the same list, however it is ordered, repeated or cut into batches.
    """
    fixes = list(fixes)
    moments = [fix.recorded_at for fix in fixes]
    if all(map(operator.lt, moments, moments[1:])):
        return fixes
    best: dict[float, Fix] = {}
    for fix in fixes:
        known = best.get(fix.recorded_at)
        if known is None or (known != fix and _rank(fix) < _rank(known)):
            best[fix.recorded_at] = fix
    return [best[moment] for moment in sorted(best)]


def is_coarse(fix: Located) -> bool:
    """Tell whether a fix is too unsure to tell a way; it is neither used nor called wrong."""
    return fix.accuracy_m is not None and fix.accuracy_m > COARSE_M


def _rank(fix: Fix) -> tuple[float, ...]:
    return tuple(math.inf if member is None else float(member) for member in (fix.accuracy_m, *fix))


def apart_m(lat_a: float, lon_a: float, lat_b: float, lon_b: float) -> float:
    """Return the metres between two places: on a plane if they are near, by the haversine if not."""
    north = lat_b - lat_a
    east = lon_b - lon_a
    if not (-_FAR_DEGREES < north < _FAR_DEGREES and -_FAR_DEGREES < east < _FAR_DEGREES) or abs(lat_a) > 80:
        return _haversine_m(lat_a, lon_a, lat_b, lon_b)
    east *= math.cos(math.radians((lat_a + lat_b) / 2))
    return DEGREE_M * math.hypot(north, east)


def _haversine_m(lat_a: float, lon_a: float, lat_b: float, lon_b: float) -> float:
    phi_a, phi_b = math.radians(lat_a), math.radians(lat_b)
    half = (
        math.sin((phi_b - phi_a) / 2) ** 2
        + math.cos(phi_a) * math.cos(phi_b) * math.sin(math.radians(lon_b - lon_a) / 2) ** 2
    )
    return 2 * EARTH_RADIUS_M * math.asin(min(1.0, math.sqrt(half)))


def between_m(a: Located, b: Located) -> float:
    """Return the metres between two fixes."""
    return apart_m(a.lat, a.lon, b.lat, b.lon)


def brisk(track: Sequence[Located], speed_mps: float) -> list[int]:
    """Return the numbers of the fixes of an ordered track that were perhaps reached faster than a speed.

    Never one too few: the sum of both sides is no shorter than the way itself, and needs no cosine.
    """
    moments = [fix.recorded_at for fix in track]
    lats = [fix.lat for fix in track]
    lons = [fix.lon for fix in track]
    legs = zip(moments, moments[1:], lats, lats[1:], lons, lons[1:], strict=False)
    degrees_per_s = speed_mps / DEGREE_M
    return [
        number
        for number, (start, end, lat_a, lat_b, lon_a, lon_b) in enumerate(legs, start=1)
        if abs(lat_b - lat_a) + abs(lon_b - lon_a) > degrees_per_s * (end - start)
    ]
