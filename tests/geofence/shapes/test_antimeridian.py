"""Fences over the 180th meridian are like any other."""

import pytest

from tests.geofence.shapes.features import FEATURES, SHAPES, Feature, circle, corridor, polygon, polygons

CUT, WHOLE = FEATURES["cut at 180"], FEATURES["over 180"]


@pytest.mark.parametrize("lon", [180, -180, 179.99, -179.99, 179.85, -179.85])
def test_a_fence_cut_there_is_the_fence_that_runs_over(lon: float) -> None:
    one, two = CUT.footprint().distance_m(-17.02, lon), WHOLE.footprint().distance_m(-17.02, lon)
    assert one == pytest.approx(two, abs=0.2)
    assert (one < 0) == (abs(lon) > 179.9)


def test_the_cut_is_no_edge() -> None:
    footprint = CUT.footprint()
    assert footprint.distance_m(-17.0, 180.0) < -10_000
    assert footprint.inradius_m > 10_000


def test_a_fence_that_ends_there_has_its_edge_there() -> None:
    east = polygon([(179.9, -17.1), (180, -17.1), (180, -16.9), (179.9, -16.9)]).footprint()
    assert east.distance_m(-17, 180) == pytest.approx(0, abs=0.1)
    assert east.distance_m(-17, -179.9) == pytest.approx(10_634, rel=0.001)
    assert east.inradius_m == pytest.approx(5_317, rel=0.01)


def test_parts_cut_to_different_heights_keep_the_edge_that_is_not_shared() -> None:
    footprint = polygons(
        polygon([(179.9, -17.1), (180, -17.1), (180, -16.9), (179.9, -16.9)]),
        polygon([(-180, -17.0), (-179.9, -17.0), (-179.9, -16.9), (-180, -16.9)]),
    ).footprint()
    assert footprint.distance_m(-16.95, 180) < -5_000
    assert footprint.distance_m(-17.05, 180) == pytest.approx(0, abs=0.1)


@pytest.mark.parametrize("feature", [WHOLE, CUT], ids=["over", "cut"])
def test_it_is_written_cut(feature: Feature) -> None:
    geometry, _ = SHAPES["polygon"].write(feature.read())
    assert geometry["type"] == "MultiPolygon"
    lons = [{lon for ring in part for lon, _ in ring} for part in geometry["coordinates"]]
    assert sorted((min(each), max(each)) for each in lons) == [(-180, -179.9), (179.9, 180)]


def test_a_hole_over_it_is_out() -> None:
    footprint = polygon(
        [(179.9, -17.1), (-179.9, -17.1), (-179.9, -16.9), (179.9, -16.9)],
        [(-179.98, -17.01), (179.98, -17.01), (179.98, -16.99), (-179.98, -16.99)],
    ).footprint()
    assert footprint.distance_m(-17, 179.99) > 0
    assert footprint.distance_m(-17, -179.97) < 0


def test_a_circle_and_a_line_reach_over_it() -> None:
    assert circle(179.99, -17, 5_000).footprint().distance_m(-17, -179.99) == pytest.approx(-2_873, abs=5)
    line = corridor([(179.95, -17), (-179.95, -17)], 500).footprint()
    assert line.distance_m(-17, 180) == pytest.approx(-250, abs=0.1)
    assert line.distance_m(-17, 0) > 10_000_000
