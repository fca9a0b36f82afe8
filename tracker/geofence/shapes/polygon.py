"""A polygon or several, with holes."""

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from tracker.domain.errors import Invalid
from tracker.domain.geo import LatLon
from tracker.domain.geofence import Geometry, Polygon, Ring
from tracker.geofence.shapes._edges import Edges
from tracker.geofence.shapes._ground import LonLat, box_of, middle_of, unwrapped, wrapped
from tracker.geofence.shapes._lonlat import cut, near
from tracker.geofence.shapes._outline import Outline
from tracker.geofence.shapes._read import check_count, check_extent, line
from tracker.geofence.shapes._shape import Box, Floats, Footprint

NARROWEST_M = 1.0
"""The least inradius: nothing narrower than 2 m can be told from its surroundings by any receiver."""
AREA_LEAST_DEG2 = 1e-14
"""A square centimetre: what rounding leaves of a line."""
NEAR_M = 50_000.0
"""Farther from the outline than this only a lower bound is told, by the disc around the whole."""


class PolygonFootprint:
    """A polygon ready for tests: signed distance to its edges in the plane of its middle."""

    __slots__ = ("_edges", "_far_square", "_ground", "_reach_m", "box", "inradius_m", "middle")

    def __init__(self, polygon: Polygon) -> None:
        outline = Outline(polygon.parts)
        self._edges: Edges = outline.edges
        self._ground = outline.ground
        self._reach_m = outline.reach_m
        self._far_square = (outline.reach_m + NEAR_M) ** 2
        self.middle: LatLon = outline.middle
        self.box: Box = outline.box
        self.inradius_m: float = outline.inradius_m

    def distance_m(self, lat: float, lon: float) -> float:
        """Return the distance to the edge in metres, negative inside."""
        x, y = self._ground.project(lat, lon)
        square = x * x + y * y
        if square > self._far_square:
            return math.sqrt(square) - self._reach_m
        return self._edges.signed_m(x, y)

    def distances_m(self, lats: Floats, lons: Floats) -> Floats:
        """Return `distance_m` of many places."""
        xs, ys = self._ground.project_all(lats, lons)
        squares = xs * xs + ys * ys
        found: Floats = np.sqrt(squares) - self._reach_m
        close = squares <= self._far_square
        found[close] = self._edges.signed_all_m(xs[close], ys[close])
        return found

    def passes_m(self, a: LatLon, b: LatLon) -> float:
        """Return how many metres of the way from `a` to `b` lie inside."""
        start, end = self._ground.project(a.lat, a.lon), self._ground.project(b.lat, b.lon)
        dx, dy = end[0] - start[0], end[1] - start[1]
        stops = [0.0, *self._edges.cuts(start, end), 1.0]
        # The middle of each stretch tells its side, so a corner that is met twice does no harm.
        share = sum(
            high - low
            for low, high in itertools.pairwise(stops)
            if self._edges.holds(start[0] + dx * (low + high) / 2, start[1] + dy * (low + high) / 2)
        )
        return share * math.hypot(dx, dy)

    def __repr__(self) -> str:
        return type(self).__name__


class PolygonShape:
    """`Polygon` and `MultiPolygon`."""

    name = "polygon"

    def matches(self, geometry: Mapping[str, Any]) -> bool:
        """Tell whether it is a `Polygon` or a `MultiPolygon`."""
        found = geometry.get("type")
        return isinstance(found, str) and found in {"Polygon", "MultiPolygon"}

    def read(self, geometry: Mapping[str, Any], properties: Mapping[str, Any]) -> Geometry:  # noqa: ARG002
        """Return the polygon; outlines that run the wrong way are turned, as RFC 7946, 3.1.6 asks of readers.

        Raises:
            Invalid: it is empty, crosses itself, is too large, too narrow, or holds what is no place.
        """
        coordinates = geometry.get("coordinates")
        check_count(coordinates)
        listed = coordinates if geometry.get("type") == "MultiPolygon" else [coordinates]
        if not isinstance(listed, list | tuple) or not listed:
            raise Invalid(("geometry", "is empty"))
        polygon = Polygon(parts=tuple(_part(each) for each in listed))
        if len(polygon.parts) > 1:
            outer = [unwrapped((*part[0], part[0][0])) for part in polygon.parts]
            check_extent(box_of(outer, middle_of(outer)))
            whole = shapely.MultiPolygon(
                [area for part in polygon.parts for area in _areas(cut(_area(part)))]
            )
            if not whole.is_valid:
                raise Invalid(("geometry", "has parts that overlap or share an edge"))
        if Outline(polygon.parts).inradius_m < NARROWEST_M:
            raise Invalid(("geometry", "is nowhere 2 m wide"))
        return polygon

    def write(self, geometry: Geometry) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return a `Polygon`, or a `MultiPolygon` of several parts or of one that is cut."""
        polygon = _polygon(geometry)
        if any(_runs_over(ring) for part in polygon.parts for ring in part):
            found = shapely.MultiPolygon(
                [area for part in polygon.parts for area in _areas(cut(_area(part)))]
            )
            parts = [_coordinates(area) for area in shapely.orient_polygons(found).geoms]
        else:
            parts = [
                [[[place.lon, place.lat] for place in (*ring, ring[0])] for ring in part]
                for part in polygon.parts
            ]
        if len(parts) == 1:
            return {"type": "Polygon", "coordinates": parts[0]}, {}
        return {"type": "MultiPolygon", "coordinates": parts}, {}

    def footprint(self, geometry: Geometry) -> Footprint:
        """Make the polygon ready for tests."""
        return PolygonFootprint(_polygon(geometry))

    def lonlat_geometry(self, geometry: Geometry) -> BaseGeometry:
        """Return the polygon, cut at the 180th meridian."""
        areas = [area for part in _polygon(geometry).parts for area in _areas(cut(_area(part)))]
        return areas[0] if len(areas) == 1 else shapely.MultiPolygon(areas)


def _part(value: object) -> tuple[Ring, ...]:
    """Return the rings of one polygon, oriented.

    Raises:
        Invalid: they bound no area, or not the one they should.
    """
    if not isinstance(value, list | tuple) or not value:
        raise Invalid(("geometry", "is empty"))
    rings = [_ring(each) for each in value]
    lines = [unwrapped((*ring, ring[0])) for ring in rings]
    if any(each[0][0] != each[-1][0] for each in lines):
        raise Invalid(("geometry", "runs around a pole; cut it at the 180th meridian"))
    check_extent(box_of(lines[:1], middle_of(lines[:1])))
    _check(_area(rings))
    return tuple(
        tuple(ring if _is_ccw(each) is (number == 0) else reversed(ring))
        for number, (ring, each) in enumerate(zip(rings, lines, strict=True))
    )


def _ring(value: object) -> Ring:
    places = line(value)
    if not places:
        raise Invalid(("geometry", "is empty"))
    if len(places) < 2 or places[0] != places[-1]:
        raise Invalid(("geometry", "has an outline that is not closed: its last point must be its first"))
    ring = tuple(places[:-1])
    if len(set(ring)) < 3:
        raise Invalid(("geometry", "has an outline of less than three points"))
    return ring


def _is_ccw(ring: Sequence[LonLat]) -> bool:
    west, south = ring[0]
    # Relative to a corner, or the products of whole coordinates would drown a small area.
    return (
        sum(
            (a[0] - west) * (b[1] - south) - (b[0] - west) * (a[1] - south)
            for a, b in itertools.pairwise(ring)
        )
        > 0
    )


def _area(rings: Sequence[Ring]) -> Any:
    """Return one part in degrees that may run on beyond 180."""
    outer, *holes = [unwrapped((*ring, ring[0])) for ring in rings]
    return shapely.Polygon(outer, [near(hole, outer) for hole in holes])


def _areas(found: Any) -> Sequence[Any]:
    return getattr(found, "geoms", (found,))


def _check(area: Any) -> None:
    if area.convex_hull.area < AREA_LEAST_DEG2:
        raise Invalid(("geometry", "has no area"))
    if not area.is_valid:
        raise _refusal(shapely.is_valid_reason(area).partition("[")[0])


def _refusal(reason: str) -> Invalid:
    """Return the refusal for what GEOS says of an area."""
    match reason:
        case "Self-intersection" | "Ring Self-intersection":
            return Invalid(("geometry", "crosses itself"))
        case "Hole lies outside shell":
            return Invalid(("geometry", "has a hole outside its outline"))
        case "Holes are nested":
            return Invalid(("geometry", "has a hole within a hole"))
        case "Interior is disconnected":
            return Invalid(("geometry", "has holes that cut it in pieces"))
    return Invalid(("geometry", "is not a polygon as RFC 7946 asks"))


def _runs_over(ring: Ring) -> bool:
    return any(180 < abs(a.lon - b.lon) < 360 for a, b in zip(ring, (*ring[1:], ring[0]), strict=True))


def _coordinates(area: Any) -> list[list[list[float]]]:
    return [[[wrapped(x), y] for x, y in ring.coords] for ring in (area.exterior, *area.interiors)]


def _polygon(geometry: Geometry) -> Polygon:
    if not isinstance(geometry, Polygon):
        raise TypeError("not a polygon")
    return geometry


SHAPE = PolygonShape()
