"""Fences at high latitudes and over a pole."""

import pytest

from tests.geofence.shapes.features import FEATURES, circle, polygon, polygons

DEGREE_M = 111_195.08


@pytest.mark.parametrize("lon", [-180, -90, 0, 45.5, 179.999, 180])
def test_a_pole_is_inside_the_cap_told_as_a_box(lon: float) -> None:
    footprint = FEATURES["pole's cap"].footprint()
    assert footprint.distance_m(90, lon) == pytest.approx(-DEGREE_M, rel=0.0002)
    assert footprint.distance_m(89.5, lon) == pytest.approx(-DEGREE_M / 2, rel=0.0005)
    assert footprint.distance_m(88.9, lon) == pytest.approx(DEGREE_M / 10, rel=0.002)
    assert footprint.box.north == 90
    assert footprint.box.south < 89


def test_the_south_pole_is_like_the_north() -> None:
    cap = polygon([(-180, -90), (180, -90), (180, -89), (-180, -89)]).footprint()
    assert cap.distance_m(-90, 12) == pytest.approx(-DEGREE_M, rel=0.0002)
    assert cap.box.south == -90


def test_a_cap_of_two_halves_is_whole() -> None:
    halves = polygons(
        polygon([(-180, 89), (0, 89), (0, 90), (-180, 90)]),
        polygon([(0.001, 89), (180, 89), (180, 90), (0.001, 90)]),
    ).footprint()
    assert halves.distance_m(89.5, 180) == pytest.approx(-DEGREE_M / 2, rel=0.001)


def test_an_edge_on_a_parallel_bends_as_the_parallel_does() -> None:
    """Straight in degrees: a straight line in the plane would be 340 m off."""
    field = polygon([(24, 60), (25.8, 60), (25.8, 60.4), (24, 60.4)]).footprint()
    assert field.distance_m(60.0, 24.9) == pytest.approx(0, abs=2)
    assert field.distance_m(60.001, 24.9) == pytest.approx(-111, abs=2)


def test_a_yard_at_89_degrees_is_as_large_as_it_is() -> None:
    yard = polygon([(10, 89.0), (10.5, 89.0), (10.5, 89.01), (10, 89.01)]).footprint()
    assert yard.distance_m(89.005, 10.25) == pytest.approx(-0.25 * DEGREE_M * 0.0174, rel=0.01)


def test_a_circle_around_a_pole_is_left_on_every_meridian() -> None:
    footprint = circle(0, 90, 1_000).footprint()
    for lon in range(-180, 181, 30):
        assert footprint.distance_m(89.99, lon) == pytest.approx(0.01 * DEGREE_M - 1_000, abs=0.1)
