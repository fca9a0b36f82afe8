"""A corridor: everything within half a width of a line."""

import itertools
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from tracker.domain.errors import Invalid
from tracker.domain.geo import LatLon
from tracker.domain.geofence import WIDTH_LEAST_M, WIDTH_MOST_M, Corridor, Geometry
from tracker.geofence.shapes._edges import Edges, edge, inside_share
from tracker.geofence.shapes._ground import Ground, LonLat, box_of, grown, middle_of, pieces, unwrapped
from tracker.geofence.shapes._lonlat import filled
from tracker.geofence.shapes._read import check_count, check_extent, line, number
from tracker.geofence.shapes._shape import Box, Floats, Footprint
from tracker.geofence.shapes.circle import chord

NEAR_M = 50_000.0
"""Farther from the line than this only a lower bound is told, by the disc around the whole."""


class CorridorFootprint:
    """A corridor ready for tests: the distance to its line, less half its width."""

    __slots__ = ("_edges", "_far_square", "_ground", "_reach_m", "box", "inradius_m", "middle")

    def __init__(self, corridor: Corridor) -> None:
        dense = list(pieces([_run(corridor)]))
        self.middle: LatLon = middle_of(dense)
        self.inradius_m: float = corridor.width_m / 2
        self.box: Box = grown(box_of(dense, self.middle), self.inradius_m)
        self._ground = Ground(self.middle)
        flat = [self._ground.project(lat, lon) for lon, lat in dense[0]]
        self._edges = Edges(edge(a, b) for a, b in itertools.pairwise(flat))
        self._reach_m = max(math.hypot(x, y) for x, y in flat) + self.inradius_m
        self._far_square = (self._reach_m + NEAR_M) ** 2

    def distance_m(self, lat: float, lon: float) -> float:
        """Return the distance to the edge in metres, negative inside."""
        x, y = self._ground.project(lat, lon)
        square = x * x + y * y
        if square > self._far_square:
            return math.sqrt(square) - self._reach_m
        return self._edges.distance_m(x, y) - self.inradius_m

    def distances_m(self, lats: Floats, lons: Floats) -> Floats:
        """Return `distance_m` of many places."""
        xs, ys = self._ground.project_all(lats, lons)
        squares = xs * xs + ys * ys
        found: Floats = np.sqrt(squares) - self._reach_m
        close = squares <= self._far_square
        found[close] = self._edges.distances_m(xs[close], ys[close]) - self.inradius_m
        return found

    def passes_m(self, a: LatLon, b: LatLon) -> float:
        """Return how many metres of the way from `a` to `b` lie inside."""
        x, y = self._ground.project(a.lat, a.lon)
        x_end, y_end = self._ground.project(b.lat, b.lon)
        dx, dy = x_end - x, y_end - y
        found = []
        # Each edge's surroundings are a disc at either end and a strip between.
        for x0, y0, ex, ey, _, _ in self._edges:
            found.append(chord(x - x0, y - y0, dx, dy, self.inradius_m))
            found.append(chord(x - x0 - ex, y - y0 - ey, dx, dy, self.inradius_m))
            found.append(_strip(x - x0, y - y0, dx, dy, ex, ey, self.inradius_m))
        return inside_share([each for each in found if each[1] > each[0]]) * math.hypot(dx, dy)

    def __repr__(self) -> str:
        return type(self).__name__


def _strip(
    x: float, y: float, dx: float, dy: float, ex: float, ey: float, half_m: float
) -> tuple[float, float]:
    """Return where a way enters and leaves the rectangle along an edge from 0 to (ex, ey), or (0, 0)."""
    length = math.hypot(ex, ey)
    if not length:
        return 0.0, 0.0
    ux, uy = ex / length, ey / length
    start, end = 0.0, 1.0
    for at, by, low, high in (
        (x * ux + y * uy, dx * ux + dy * uy, 0.0, length),
        (y * ux - x * uy, dy * ux - dx * uy, -half_m, half_m),
    ):
        if not by:
            if not low <= at <= high:
                return 0.0, 0.0
            continue
        first, last = sorted(((low - at) / by, (high - at) / by))
        start, end = max(start, first), min(end, last)
    return (start, end) if end > start else (0.0, 0.0)


class CorridorShape:
    """`LineString` with the property `width_m`, the whole width."""

    name = "corridor"

    def matches(self, geometry: Mapping[str, Any]) -> bool:
        """Tell whether it is a `LineString`."""
        return geometry.get("type") == "LineString"

    def read(self, geometry: Mapping[str, Any], properties: Mapping[str, Any]) -> Geometry:
        """Return the corridor; the line may cross itself.

        Raises:
            Invalid: the line or the width is missing or wrong.
        """
        coordinates = geometry.get("coordinates")
        check_count(coordinates)
        width_m = number(properties.get("width_m"), "properties.width_m", WIDTH_LEAST_M, WIDTH_MOST_M)
        places = line(coordinates)
        if not places:
            raise Invalid(("geometry", "is empty"))
        if len(places) < 2:
            raise Invalid(("geometry", "is a line of less than two points"))
        corridor = Corridor(line=tuple(places), width_m=width_m)
        run = [_run(corridor)]
        if all(lon == run[0][0][0] and lat == run[0][0][1] for lon, lat in run[0]):
            raise Invalid(("geometry", "is a line of less than two points"))
        check_extent(box_of(run, middle_of(run)))
        return corridor

    def write(self, geometry: Geometry) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the `LineString`, not cut, and its width."""
        corridor = _corridor(geometry)
        places = [[place.lon, place.lat] for place in corridor.line]
        return {"type": "LineString", "coordinates": places}, {"width_m": corridor.width_m}

    def footprint(self, geometry: Geometry) -> Footprint:
        """Make the corridor ready for tests."""
        return CorridorFootprint(_corridor(geometry))

    def lonlat_geometry(self, geometry: Geometry) -> BaseGeometry:
        """Return the area of the corridor, its round ends of 32 corners a turn."""
        corridor = _corridor(geometry)
        dense = list(pieces([_run(corridor)]))
        ground = Ground(middle_of(dense))
        flat = shapely.LineString([ground.project(lat, lon) for lon, lat in dense[0]])
        area: Any = shapely.buffer(flat, corridor.width_m / 2, quad_segs=8)
        rings = [
            [ground.unproject(x, y) for x, y in ring.coords[:-1]] for ring in (area.exterior, *area.interiors)
        ]
        return filled(rings[0], rings[1:])


def _run(corridor: Corridor) -> list[LonLat]:
    """Return the line with longitudes that run on; a step of just 360 degrees is none."""
    places = [LatLon(lat=each.lat, lon=180.0 if each.lon == -180 else each.lon) for each in corridor.line]
    return unwrapped(places)


def _corridor(geometry: Geometry) -> Corridor:
    if not isinstance(geometry, Corridor):
        raise TypeError("not a corridor")
    return geometry


SHAPE = CorridorShape()
