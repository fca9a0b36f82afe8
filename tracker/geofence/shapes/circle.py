"""A circle: everything within a radius of a place."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from shapely.geometry.base import BaseGeometry

from tracker.domain.errors import Invalid
from tracker.domain.geo import EARTH_RADIUS_M, LatLon
from tracker.domain.geofence import RADIUS_LEAST_M, RADIUS_MOST_M, Circle, Geometry
from tracker.geofence.shapes._ground import Ground, grown
from tracker.geofence.shapes._lonlat import filled
from tracker.geofence.shapes._read import number, point
from tracker.geofence.shapes._shape import Box, Floats, Footprint

CORNERS = 64
"""Corners of the polygon that stands for a circle on maps."""

_RADIAN = math.pi / 180
_sin, _cos, _sqrt, _asin = math.sin, math.cos, math.sqrt, math.asin


class CircleFootprint:
    """A circle ready for tests: distances by the haversine formula, exact on the sphere anywhere."""

    __slots__ = ("_cos", "_lat", "_lon", "box", "inradius_m")

    def __init__(self, circle: Circle) -> None:
        center = circle.center
        self.inradius_m = circle.radius_m
        self.box: Box = grown(Box(center.lat, center.lon, center.lat, center.lon), circle.radius_m)
        self._lat, self._lon = center.lat, center.lon
        self._cos = _cos(center.lat * _RADIAN)

    @property
    def middle(self) -> LatLon:
        """The centre."""
        return LatLon(lat=self._lat, lon=self._lon)

    def distance_m(self, lat: float, lon: float) -> float:
        """Return the distance to the edge in metres, negative inside."""
        north = _sin((lat - self._lat) * (_RADIAN / 2))
        east = _sin((lon - self._lon) * (_RADIAN / 2))
        half = north * north + self._cos * _cos(lat * _RADIAN) * east * east
        # Rounding may pass 1 at the antipode.
        return 2 * EARTH_RADIUS_M * _asin(_sqrt(half) if half < 1 else 1.0) - self.inradius_m

    def distances_m(self, lats: Floats, lons: Floats) -> Floats:
        """Return `distance_m` of many places."""
        north = np.sin((lats - self._lat) * (_RADIAN / 2))
        east = np.sin((lons - self._lon) * (_RADIAN / 2))
        half = north * north + self._cos * np.cos(lats * _RADIAN) * east * east
        return np.asarray(2 * EARTH_RADIUS_M * np.arcsin(np.sqrt(np.minimum(half, 1))) - self.inradius_m)

    def passes_m(self, a: LatLon, b: LatLon) -> float:
        """Return how many metres of the way from `a` to `b` lie inside."""
        ground = Ground(self.middle)
        (x, y), (x_end, y_end) = ground.project(a.lat, a.lon), ground.project(b.lat, b.lon)
        start, end = chord(x, y, x_end - x, y_end - y, self.inradius_m)
        return max(0.0, min(end, 1.0) - max(start, 0.0)) * math.hypot(x_end - x, y_end - y)

    def __repr__(self) -> str:
        return type(self).__name__


def chord(x: float, y: float, dx: float, dy: float, radius_m: float) -> tuple[float, float]:
    """Return where the line from (x, y) along (dx, dy) enters and leaves a circle around 0, or (0, 0)."""
    square = dx * dx + dy * dy
    if not square:
        return 0.0, 0.0
    nearest = -(x * dx + y * dy) / square
    across = x * dy - y * dx
    room = radius_m * radius_m - across * across / square
    if room <= 0:
        return 0.0, 0.0
    half = _sqrt(room / square)
    return nearest - half, nearest + half


class CircleShape:
    """`Point` with the property `radius_m`."""

    name = "circle"

    def matches(self, geometry: Mapping[str, Any]) -> bool:
        """Tell whether it is a `Point`."""
        return geometry.get("type") == "Point"

    def read(self, geometry: Mapping[str, Any], properties: Mapping[str, Any]) -> Geometry:
        """Return the circle.

        Raises:
            Invalid: the place or the radius is missing or wrong.
        """
        radius_m = number(properties.get("radius_m"), "properties.radius_m", RADIUS_LEAST_M, RADIUS_MOST_M)
        if "coordinates" not in geometry:
            raise Invalid(("geometry", "is empty"))
        return Circle(center=point(geometry["coordinates"]), radius_m=radius_m)

    def write(self, geometry: Geometry) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the `Point` and its radius."""
        circle = _circle(geometry)
        center = [circle.center.lon, circle.center.lat]
        return {"type": "Point", "coordinates": center}, {"radius_m": circle.radius_m}

    def footprint(self, geometry: Geometry) -> Footprint:
        """Make the circle ready for tests."""
        return CircleFootprint(_circle(geometry))

    def lonlat_geometry(self, geometry: Geometry) -> BaseGeometry:
        """Return a polygon of 64 corners on the circle."""
        circle = _circle(geometry)
        ground = Ground(circle.center)
        ring = []
        for corner in range(CORNERS):
            angle = 2 * math.pi * corner / CORNERS
            ring.append(ground.unproject(circle.radius_m * _cos(angle), circle.radius_m * _sin(angle)))
        return filled(ring)


def _circle(geometry: Geometry) -> Circle:
    if not isinstance(geometry, Circle):
        raise TypeError("not a circle")
    return geometry


SHAPE = CircleShape()
