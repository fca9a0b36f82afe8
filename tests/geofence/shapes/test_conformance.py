"""What every shape keeps."""

import itertools
import math
import random

import numpy as np
import pytest
import shapely

from tests.geofence.shapes.features import FEATURES, SHAPES, Feature
from tracker.domain.geo import LatLon, distance_m
from tracker.geofence.shapes._ground import Ground

EACH = pytest.mark.parametrize("feature", FEATURES.values(), ids=FEATURES.keys())


def places_around(feature: Feature, count: int = 200) -> list[tuple[float, float]]:
    """Latitudes and longitudes in and around a fence, some far away."""
    footprint = feature.footprint()
    chance = random.Random(7)
    ground = Ground(footprint.middle)
    box = footprint.box
    corner = LatLon(lat=box.north, lon=(box.east + 180) % 360 - 180)
    size_m = min(max(distance_m(footprint.middle, corner), footprint.inradius_m), 400_000)
    found = []
    for number in range(count):
        away_m = size_m * chance.random() * (40 if number % 10 == 0 else 1.5)
        angle = chance.random() * 2 * math.pi
        lon, lat = ground.unproject(away_m * math.cos(angle), away_m * math.sin(angle))
        found.append((lat, lon))
    return found


def test_every_shape_has_a_feature_here() -> None:
    assert {feature.shape for feature in FEATURES.values()} == set(SHAPES)


@EACH
def test_a_geometry_is_of_one_shape_only(feature: Feature) -> None:
    assert [name for name, shape in SHAPES.items() if shape.matches(feature.geometry)] == [feature.shape]


@EACH
def test_what_is_written_reads_as_the_same_fence(feature: Feature) -> None:
    shape = SHAPES[feature.shape]
    written = Feature(feature.shape, *shape.write(feature.read()))
    one, two = feature.footprint(), written.footprint()
    assert two.inradius_m == pytest.approx(one.inradius_m, rel=0.02)
    for lat, lon in places_around(feature):
        assert two.distance_m(lat, lon) == pytest.approx(one.distance_m(lat, lon), rel=0.002, abs=0.05)
    assert shape.write(written.read()) == shape.write(shape.read(*shape.write(written.read())))


@EACH
def test_inside_is_what_the_map_shows(feature: Feature) -> None:
    shape, footprint = SHAPES[feature.shape], feature.footprint()
    shown = shape.lonlat_geometry(feature.read())
    assert shown.is_valid
    west, south, east, north = shown.bounds
    assert -180 <= west < east <= 180
    assert -90 <= south < north <= 90
    sides = set()
    for lat, lon in places_around(feature):
        signed_m = footprint.distance_m(lat, lon)
        # Round edges are drawn with corners.
        if abs(signed_m) > 1 + 0.005 * footprint.inradius_m:
            assert shapely.contains_xy(shown, lon, lat) == (signed_m < 0), (lat, lon, signed_m)
            sides.add(signed_m < 0)
    assert sides == {True, False}


@EACH
def test_the_box_holds_all_of_it(feature: Feature) -> None:
    footprint = feature.footprint()
    box = footprint.box
    for lat, lon in places_around(feature, 400):
        if footprint.distance_m(lat, lon) < 0:
            assert box.south <= lat <= box.north
            assert any(box.west <= lon + turn <= box.east for turn in (-360, 0, 360))


@EACH
def test_many_distances_are_those_of_each(feature: Feature) -> None:
    footprint = feature.footprint()
    places = places_around(feature)
    lats, lons = np.array(places).T
    each = [footprint.distance_m(lat, lon) for lat, lon in places]
    assert footprint.distances_m(lats, lons) == pytest.approx(np.array(each), rel=1e-6, abs=1e-3)


@EACH
def test_the_distance_changes_no_faster_than_the_place(feature: Feature) -> None:
    """The engine's quiet disc leans on this."""
    footprint = feature.footprint()
    places = places_around(feature)
    for (lat, lon), (lat_to, lon_to) in itertools.pairwise(places):
        moved_m = distance_m(LatLon(lat=lat, lon=lon), LatLon(lat=lat_to, lon=lon_to))
        one, two = footprint.distance_m(lat, lon), footprint.distance_m(lat_to, lon_to)
        # Of far places only a lower bound is told.
        if max(one, two) < 40_000:
            assert abs(one - two) <= moved_m * 1.0015 + 0.01


@EACH
def test_the_whole_inradius_is_inside_somewhere(feature: Feature) -> None:
    footprint = feature.footprint()
    deepest_m = min(footprint.distance_m(lat, lon) for lat, lon in places_around(feature, 2_000))
    assert -footprint.inradius_m * 1.02 <= deepest_m < -footprint.inradius_m * 0.5


@EACH
def test_a_way_across_is_inside_for_as_long_as_its_places_are(feature: Feature) -> None:
    footprint = feature.footprint()
    ground = Ground(footprint.middle)
    reach_m = min(footprint.inradius_m * 3, 20_000)
    for angle in (0.1, 0.9, 2.0):
        dx, dy = reach_m * math.cos(angle), reach_m * math.sin(angle)
        steps = 2_000
        ends = [
            LatLon(lat=lat, lon=lon) for lon, lat in (ground.unproject(-dx, -dy), ground.unproject(dx, dy))
        ]
        along = [
            ground.unproject(dx * (2 * s + 1 - steps) / steps, dy * (2 * s + 1 - steps) / steps)
            for s in range(steps)
        ]
        inside = sum(footprint.distance_m(lat, lon) < 0 for lon, lat in along)
        assert footprint.passes_m(*ends) == pytest.approx(
            2 * reach_m * inside / steps, abs=2 * reach_m * 0.003
        )


@EACH
def test_a_footprint_tells_no_place_when_printed(feature: Feature) -> None:
    assert not any(sign.isdigit() for sign in repr(feature.footprint()).partition(" ")[0])
    assert "." not in repr(feature.footprint())
