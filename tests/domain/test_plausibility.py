from hypothesis import given
from hypothesis import strategies as st

from tracker.domain.geo import LatLon, distance_m
from tracker.domain.plausibility import FASTEST_MPS, Fix, Verdict, apart_m, can_follow, judge

HOME = Fix(1_000.0, 60.17, 24.94, 10.0)
DEGREE_M = 111_195.0

fixes = st.builds(
    Fix,
    st.floats(0, 4e9),
    st.floats(-90, 90),
    st.floats(-180, 180),
    st.none() | st.floats(0, 5_000),
)


def north(of: Fix, metres: float, after_s: float, accuracy_m: float | None = 10.0) -> Fix:
    return Fix(of.recorded_at + after_s, of.lat + metres / DEGREE_M, of.lon, accuracy_m)


def test_the_first_fix_is_accepted() -> None:
    assert judge(None, None, HOME) is Verdict.ACCEPTED


def test_a_walk_and_a_fast_train_are_accepted() -> None:
    assert judge(HOME, None, north(HOME, 70, 60)) is Verdict.ACCEPTED
    assert judge(HOME, None, north(HOME, 97 * 600, 600)) is Verdict.ACCEPTED


def test_an_impossible_jump_is_held_and_given_up_when_the_device_is_back() -> None:
    jump = north(HOME, 30_000, 60)
    assert judge(HOME, None, jump) is Verdict.HELD
    assert judge(HOME, jump, north(HOME, 15, 120)) is Verdict.ACCEPTED


def test_a_jump_is_confirmed_by_a_fix_near_it() -> None:
    jump = north(HOME, 300_000, 60)
    assert judge(HOME, jump, north(jump, 400, 60)) is Verdict.CONFIRMED


def test_a_second_jump_elsewhere_confirms_nothing() -> None:
    jump = north(HOME, 30_000, 60)
    assert judge(HOME, jump, north(HOME, -30_000, 120)) is Verdict.HELD


def test_a_flight_is_confirmed_on_its_line() -> None:
    first, second = north(HOME, 250 * 60, 60), north(HOME, 250 * 120, 120)
    assert judge(HOME, None, first) is Verdict.HELD
    assert judge(HOME, first, second) is Verdict.CONFIRMED


def test_faster_than_a_flight_is_not_confirmed_by_its_line() -> None:
    first, second = north(HOME, 900 * 60, 60), north(HOME, 900 * 120, 120)
    assert judge(HOME, first, second) is Verdict.HELD


def test_a_poor_accuracy_explains_a_jump() -> None:
    assert judge(HOME, None, north(HOME, 4_000, 5, accuracy_m=10.0)) is Verdict.HELD
    assert judge(HOME, None, north(HOME, 4_000, 5, accuracy_m=2_000.0)) is Verdict.ACCEPTED


def test_an_unknown_accuracy_is_not_perfect() -> None:
    bare = HOME._replace(accuracy_m=None)
    reach_m = FASTEST_MPS * 6
    assert judge(bare, None, north(bare, reach_m + 90, 5, None)) is Verdict.ACCEPTED
    assert judge(bare, None, north(bare, reach_m + 110, 5, None)) is Verdict.HELD


def test_a_fix_before_the_held_one_does_not_confirm_it() -> None:
    jump = north(HOME, 30_000, 60)
    assert judge(HOME, jump, north(jump, 5, -1)) is Verdict.HELD


@given(fixes, st.none() | fixes, fixes)
def test_a_late_fix_is_never_held(last: Fix, held: Fix | None, new: Fix) -> None:
    late = new._replace(recorded_at=min(new.recorded_at, last.recorded_at))
    assert judge(last, held, late) is Verdict.ACCEPTED


@given(fixes, fixes)
def test_whatever_can_follow_can_follow_in_either_order(one: Fix, other: Fix) -> None:
    assert can_follow(one, other) == can_follow(other, one)


@given(fixes, fixes)
def test_only_what_was_too_fast_is_held(last: Fix, new: Fix) -> None:
    apart = distance_m(LatLon(lat=last.lat, lon=last.lon), LatLon(lat=new.lat, lon=new.lon))
    assert abs(apart_m(last, new) - apart) < 1e-3
    if judge(last, None, new) is Verdict.HELD:
        assert apart > FASTEST_MPS * (new.recorded_at - last.recorded_at)


@given(fixes, fixes, fixes)
def test_only_a_held_fix_can_be_confirmed(last: Fix, held: Fix, new: Fix) -> None:
    assert judge(last, None, new) is not Verdict.CONFIRMED
    if judge(last, held, new) is Verdict.CONFIRMED:
        assert not can_follow(last, new)
