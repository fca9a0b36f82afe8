"""The length of a way."""

import pytest

from tests.history.movement import Walker, place
from tracker.history.distance import Mark, by_odometer_m, marks, top_speed_mps, within
from tracker.history.track import Fix


@pytest.mark.parametrize(("noise_m", "accuracy_m", "least", "most"), [(0, 5, 0.98, 1.001), (3, 5, 0.98, 1.1)])
@pytest.mark.parametrize("speed_mps", [1.3, 5, 15])
def test_a_way_is_as_long_as_it_was(
    speed_mps: float, noise_m: float, accuracy_m: float, least: float, most: float
) -> None:
    walker = Walker(noise_m=noise_m, accuracy_m=accuracy_m, every_s=5)
    walker.fix()
    walker.go(2000, 0, speed_mps).go(2000, 2000, speed_mps)
    assert least <= marks(walker.fixes)[-1].distance_m / 4000 <= most


def test_a_rest_on_the_way_is_not_moving() -> None:
    walker = Walker(noise_m=2, every_s=5).go(500, 0, 2.0).stay(170).go(1000, 0, 2.0)
    way = marks(walker.fixes)
    assert way[-1].moving_s == pytest.approx(500, abs=50)


def test_the_way_grows_and_never_shrinks() -> None:
    way = marks(Walker(noise_m=20).stay(300).go(800, 100, 3).fixes)
    assert [each.distance_m for each in way] == sorted(each.distance_m for each in way)
    assert [each.moving_s for each in way] == sorted(each.moving_s for each in way)


def test_parts_of_a_way_add_up() -> None:
    way = marks(Walker(noise_m=0).go(1000, 0, 5).fixes)
    start, end = way[0].recorded_at, way[-1].recorded_at
    cut = (start + end) / 2 + 3
    first, second = within(way, start, cut), within(way, cut, end)
    assert first[0] + second[0] == pytest.approx(way[-1].distance_m)
    assert first[1] + second[1] == pytest.approx(way[-1].moving_s)
    assert within(way, end + 1, end + 100) == (0.0, 0.0)


def test_no_fix_and_one_fix_have_no_way() -> None:
    assert marks([]) == []
    assert marks([place(0, 0, 0)]) == [Mark(0.0, 0.0, 0.0)]
    assert top_speed_mps([place(0, 0, 0)], marks([place(0, 0, 0)])) is None


@pytest.mark.parametrize(
    ("odometers", "length_m"),
    [
        ((0.0, 500.0, 1000.0), 1000.0),
        ((5.0, None, 1005.0), 1000.0),
        ((0.0, 2000.0, 1000.0), None),
        ((None, 0.0, 1000.0), None),
        ((0.0, 0.0, 0.0), None),
        ((0.0, 1.0, 9000.0), None),
    ],
)
def test_an_odometer_counts_only_if_it_can_be_right(
    odometers: tuple[float | None, ...], length_m: float | None
) -> None:
    fixes = [Fix(10.0 * number, 60, 24, odometer_m=each) for number, each in enumerate(odometers)]
    assert by_odometer_m(fixes, 1000.0) == length_m
