"""Fewer points for the same line."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from shapely import LineString, Point

from tracker.history.simplify import kept

Places = list[tuple[float, float]]
places = st.lists(st.tuples(st.floats(60.1, 60.2), st.floats(24.8, 25.0)), min_size=0, max_size=40)


@given(places, st.floats(1, 2000))
def test_ends_stay_and_nothing_left_out_is_farther_than_asked(line: Places, tolerance_m: float) -> None:
    numbers = kept(line, tolerance_m)
    assert numbers == sorted(set(numbers))
    if len(line) < 3:
        assert numbers == list(range(len(line)))
        return
    assert numbers[0] == 0
    assert numbers[-1] == len(line) - 1
    metres = [(lon * 55_300, lat * 111_195) for lat, lon in line]
    for first, last in pairwise(numbers):
        leg = LineString([metres[first], metres[last]])
        for number in range(first + 1, last):
            assert leg.distance(Point(metres[number])) <= tolerance_m * 1.01


def test_points_on_a_straight_line_go_and_a_corner_stays() -> None:
    line = [(60.0 + step / 1000, 24.0) for step in range(10)] + [
        (60.009, 24.0 + step / 1000) for step in range(10)
    ]
    assert kept(line, 5) in ([0, 9, 19], [0, 10, 19])


def test_a_line_over_the_antimeridian_is_not_drawn_around_the_globe() -> None:
    line = [(0.0, 179.99), (0.0, 179.995), (0.0, -180.0), (0.0, -179.995), (0.0, -179.99)]
    assert kept(line, 10) == [0, 4]


def test_no_tolerance_keeps_everything() -> None:
    assert kept([(60.0, 24.0)] * 5, 0) == [0, 1, 2, 3, 4]
