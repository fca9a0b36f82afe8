"""Fences of every shape, as GeoJSON, at places where maps are awkward."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from tracker import registry
from tracker.domain.geofence import Geometry
from tracker.geofence.shapes._shape import Footprint, Shape

SHAPES: Mapping[str, Shape] = registry.load("tracker.geofence.shapes", "SHAPE")


class Feature(NamedTuple):
    shape: str
    geometry: dict[str, Any]
    properties: dict[str, Any]

    def read(self) -> Geometry:
        return SHAPES[self.shape].read(self.geometry, self.properties)

    def footprint(self) -> Footprint:
        return SHAPES[self.shape].footprint(self.read())


def circle(lon: float, lat: float, radius_m: float) -> Feature:
    return Feature("circle", {"type": "Point", "coordinates": [lon, lat]}, {"radius_m": radius_m})


def polygon(*rings: list[tuple[float, float]]) -> Feature:
    closed = [[list(at) for at in (*ring, ring[0])] for ring in rings]
    return Feature("polygon", {"type": "Polygon", "coordinates": closed}, {})


def polygons(*parts: Feature) -> Feature:
    coordinates = [part.geometry["coordinates"] for part in parts]
    return Feature("polygon", {"type": "MultiPolygon", "coordinates": coordinates}, {})


def corridor(line: list[tuple[float, float]], width_m: float) -> Feature:
    coordinates = [list(at) for at in line]
    return Feature("corridor", {"type": "LineString", "coordinates": coordinates}, {"width_m": width_m})


def square(lon: float, lat: float, half_deg: float = 0.01) -> list[tuple[float, float]]:
    return [
        (lon - half_deg, lat - half_deg),
        (lon + half_deg, lat - half_deg),
        (lon + half_deg, lat + half_deg),
        (lon - half_deg, lat + half_deg),
    ]


YARD = [(24.9, 60.1), (25.0, 60.1), (25.0, 60.2), (24.95, 60.13), (24.9, 60.2)]
FEATURES: dict[str, Feature] = {
    "circle": circle(24.94, 60.17, 150),
    "circle over 180": circle(179.999, -17, 5_000),
    "circle at a pole": circle(10, 89.99, 20_000),
    "circle of 100 km": circle(-70, -53, 100_000),
    "notched": polygon(YARD),
    "with a hole": polygon(square(37.6, 55.75), square(37.6, 55.75, 0.004)[::-1]),
    "two parts": polygons(polygon(square(37.6, 55.75)), polygon(square(37.7, 55.75))),
    "over 180": polygon([(179.9, -17.1), (-179.9, -17.1), (-179.9, -16.9), (179.9, -16.9)]),
    "cut at 180": polygons(
        polygon([(179.9, -17.1), (180, -17.1), (180, -16.9), (179.9, -16.9)]),
        polygon([(-180, -17.1), (-179.9, -17.1), (-179.9, -16.9), (-180, -16.9)]),
    ),
    "pole's cap": polygon([(-180, 89), (180, 89), (180, 90), (-180, 90)]),
    "large": polygon([(20, 58), (26, 58), (26, 61), (20, 61)]),
    "line": corridor([(24.9, 60.1), (24.95, 60.15), (25.0, 60.1)], 400),
    "line over 180": corridor([(179.95, 65), (-179.95, 65.02)], 1_000),
    "line near a pole": corridor([(0, 89.9), (170, 89.9)], 2_000),
    "line over a pole": corridor([(0, 89.9), (0, 90), (170, 90), (170, 89.8)], 2_000),
}
