"""The plane that a fence is measured in: metres east (x) and north (y) of its middle, on the sphere.

Azimuthal equidistant projection (Snyder 1987, "Map Projections: A Working Manual", chapter 25): exact in
distance from the middle and within 0.13 % of it across a fence of 1,000 km, at any latitude. Longitude enters
by its sine and cosine alone, so neither the 180th meridian nor a pole is a case of its own.
"""

import itertools
import math
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from tracker.domain.geo import EARTH_RADIUS_M, LatLon
from tracker.geofence.shapes._shape import Box, Floats

Xy = tuple[float, float]
LonLat = tuple[float, float]
"""Degrees; a longitude may lie beyond 180 where an edge runs over the 180th meridian."""

DEGREE_M = math.radians(1) * EARTH_RADIUS_M
PIECE_M = 5_000.0
"""RFC 7946 edges are straight in degrees, so they are parted before they are drawn straight in the plane."""
SAG_M = 1.0
"""No piece of a parallel is farther from its chord than this: shorter pieces nearer to the poles."""
PIECE_LEAST_M = 5.0
PIECES_MOST = 20_000
"""Pieces that all edges of a fence are parted in at most; a longer outline gets longer pieces."""

_sin, _cos, _sqrt = math.sin, math.cos, math.sqrt
_RADIAN = math.pi / 180


class Ground:
    """The plane around one place."""

    __slots__ = ("_cos", "_lon", "_sin")

    def __init__(self, middle: LatLon) -> None:
        self._sin, self._cos = _sin(middle.lat * _RADIAN), _cos(middle.lat * _RADIAN)
        self._lon = middle.lon

    def project(self, lat: float, lon: float) -> Xy:
        """Return metres east and north of the middle; its antipode lies 20,015 km to the east."""
        phi, turn = lat * _RADIAN, (lon - self._lon) * _RADIAN
        cos_phi, sin_phi = _cos(phi), _sin(phi)
        along = cos_phi * _cos(turn)
        east = cos_phi * _sin(turn)
        north = self._cos * sin_phi - self._sin * along
        square = east * east + north * north
        facing = self._sin * sin_phi + self._cos * along
        if square < 0.01 and facing > 0:
            # asin(s) / s, to 5e-8.
            scale = EARTH_RADIUS_M * (1 + square * (1 / 6 + square * 0.075))
        else:
            sine = _sqrt(square)
            scale = EARTH_RADIUS_M * math.atan2(sine, facing) / sine if sine else 0.0
            if not sine:
                return (0.0 if facing > 0 else math.pi * EARTH_RADIUS_M), 0.0
        return east * scale, north * scale

    def project_all(self, lats: Floats, lons: Floats) -> tuple[Floats, Floats]:
        """Return `project` of many places."""
        phi, turn = np.radians(lats), np.radians(lons - self._lon)
        cos_phi, sin_phi = np.cos(phi), np.sin(phi)
        along = cos_phi * np.cos(turn)
        east = cos_phi * np.sin(turn)
        north = self._cos * sin_phi - self._sin * along
        sine = np.hypot(east, north)
        facing = self._sin * sin_phi + self._cos * along
        # At the middle itself 0 / 0: there the scale does not matter.
        scale = EARTH_RADIUS_M * np.arctan2(sine, facing) / np.maximum(sine, 1e-300)
        return east * scale, north * scale

    def unproject(self, x: float, y: float) -> LonLat:
        """Return the longitude (-180..180) and latitude of a point of the plane."""
        away = math.hypot(x, y)
        if away == 0:
            return self._lon, math.degrees(math.asin(self._sin))
        angle = away / EARTH_RADIUS_M
        sine, cosine = _sin(angle), _cos(angle)
        lat = math.asin(max(-1.0, min(1.0, cosine * self._sin + y * sine * self._cos / away)))
        turn = math.atan2(x * sine, away * self._cos * cosine - y * self._sin * sine)
        return wrapped(self._lon + math.degrees(turn)), math.degrees(lat)


def wrapped(lon: float) -> float:
    """Return the same meridian within -180..180; those two stay as they are."""
    return lon if -180 <= lon <= 180 else (lon + 180) % 360 - 180


def unwrapped(places: Iterable[LatLon]) -> list[LonLat]:
    """Return a line's points with longitudes that run on over the 180th meridian.

    An edge goes the shorter way around, but for one of exactly 360 degrees, which runs along the whole
    parallel: polar fences are told so (RFC 7946, 5.3).
    """
    line: list[LonLat] = []
    turns, before = 0.0, None
    for place in places:
        if before is not None:
            step = place.lon - before
            if 180 < abs(step) < 360:
                turns -= math.copysign(360.0, step)
        before = place.lon
        line.append((place.lon + turns, place.lat))
    return line


def pieces(lines: Sequence[Sequence[LonLat]]) -> Iterator[list[LonLat]]:
    """Yield each line with points between, so that every piece may be drawn straight in the plane."""
    counts = [[_pieces(a, b) for a, b in itertools.pairwise(line)] for line in lines]
    share = min(1.0, PIECES_MOST / max(sum(map(sum, counts)), 1))
    for line, wanted in zip(lines, counts, strict=True):
        dense = [line[0]]
        for (a, b), most in zip(itertools.pairwise(line), wanted, strict=True):
            count = math.ceil(most * share)
            east, north = (b[0] - a[0]) / count, (b[1] - a[1]) / count
            dense.extend((a[0] + east * step, a[1] + north * step) for step in range(1, count))
            dense.append(b)
        yield dense


def _pieces(a: LonLat, b: LonLat) -> int:
    # A parallel has the radius R / tan lat, a chord of it the sag chord^2 / 8 radius.
    steep = math.tan(min(max(abs(a[1]), abs(b[1])), 89.999) * _RADIAN)
    piece_m = math.sqrt(8 * SAG_M * EARTH_RADIUS_M / steep) if steep else PIECE_M
    return max(1, math.ceil(_length_m(a, b) / max(min(piece_m, PIECE_M), PIECE_LEAST_M)))


def _length_m(a: LonLat, b: LonLat) -> float:
    """Return about how long the line is that is straight in degrees."""
    return math.hypot(b[1] - a[1], (b[0] - a[0]) * _cos((a[1] + b[1]) / 2 * _RADIAN)) * DEGREE_M


def middle_of(lines: Sequence[Sequence[LonLat]]) -> LatLon:
    """Return the centre of gravity of lines of short pieces, as seen from the globe's."""
    x = y = z = 0.0
    for line in lines:
        for a, b in itertools.pairwise(line):
            weight = _length_m(a, b)
            lon, lat = (a[0] + b[0]) / 2 * _RADIAN, (a[1] + b[1]) / 2 * _RADIAN
            x += weight * _cos(lat) * _cos(lon)
            y += weight * _cos(lat) * _sin(lon)
            z += weight * _sin(lat)
    return LatLon(lat=math.degrees(math.atan2(z, math.hypot(x, y))), lon=math.degrees(math.atan2(y, x)))


def box_of(lines: Sequence[Sequence[LonLat]], middle: LatLon) -> Box:
    """Return the degrees around lines of short pieces; west -180, east 180 if they go right around."""
    south = min(lat for line in lines for _, lat in line)
    north = max(lat for line in lines for _, lat in line)
    west = east = 0.0
    for line in lines:
        turn = _turn(line[0][0] - middle.lon)
        start = line[0][0]
        for lon, _ in line:
            # Along a line longitudes run on; so does the angle from the middle.
            angle = turn + lon - start
            west, east = min(west, angle), max(east, angle)
    # What is drawn straight in the plane may run a little beyond its ends' degrees.
    if west <= -180 or east >= 180:
        return grown(Box(south, -180.0, north, 180.0), SAG_M)
    return grown(Box(south, middle.lon + west, north, middle.lon + east), SAG_M)


def _turn(degrees: float) -> float:
    return (degrees + 180) % 360 - 180


def grown(box: Box, by_m: float) -> Box:
    """Return the degrees within `by_m` metres of a box."""
    tall = by_m / DEGREE_M
    south, north = box.south - tall, box.north + tall
    if south <= -90 or north >= 90:
        return Box(max(south, -90.0), -180.0, min(north, 90.0), 180.0)
    # The tangent meridian of a circle: sin dlon = sin r / cos lat (Bronshtein, "Taschenbuch der Mathematik").
    sine = _sin(tall * _RADIAN) / min(_cos(box.south * _RADIAN), _cos(box.north * _RADIAN))
    wide = math.degrees(math.asin(min(1.0, sine)))
    if box.east - box.west + 2 * wide >= 360:
        return Box(south, -180.0, north, 180.0)
    return Box(south, box.west - wide, north, box.east + wide)
