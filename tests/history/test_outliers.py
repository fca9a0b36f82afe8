"""Which fixes cannot be true."""

import pytest

from tests.history.movement import Walker
from tracker.history.outliers import BY_ANY_MEANS, ON_FOOT, outliers
from tracker.history.track import Fix


def flagged(track: list[Fix], scale=BY_ANY_MEANS) -> list[int]:  # type: ignore[no-untyped-def]
    return [number for number, flag in enumerate(outliers(track, scale)) if flag]


@pytest.mark.parametrize("run", [1, 2, 3])
def test_a_short_run_far_away_is_wrong_and_what_follows_is_not(run: int) -> None:
    walker = Walker().stay(300)
    for _ in range(run):
        walker.spike(50_000, 0)
    walker.stay(300)
    assert flagged(walker.fixes) == list(range(30, 30 + run))


def test_a_jump_that_more_fixes_confirm_is_a_move() -> None:
    walker = Walker().stay(300)
    walker.x_m = 50_000
    assert flagged(walker.stay(300).fixes) == []


def test_a_last_fix_far_away_waits_for_a_second_and_third() -> None:
    walker = Walker().stay(300)
    walker.x_m = 50_000
    assert flagged([*walker.fixes, walker.stay(10).fixes[-1]]) == [30]


def test_a_cat_does_not_run_a_kilometre_and_back_between_two_fixes() -> None:
    walker = Walker(every_s=240, noise_m=10, accuracy_m=None).stay(3600).spike(1_500, 0).stay(3600)
    assert flagged(walker.fixes, ON_FOOT) == [15]


def test_the_same_errand_by_car_is_true() -> None:
    walker = Walker(every_s=240, noise_m=10, accuracy_m=None).stay(3600).spike(1_500, 0).stay(3600)
    assert flagged(walker.fixes) == []


def test_a_cat_in_a_car_is_believed() -> None:
    walker = Walker(every_s=30).stay(600).go(20_000, 0, 15.0).stay(600)
    assert flagged(walker.fixes, ON_FOOT) == []


def test_what_the_accuracy_explains_is_not_wrong() -> None:
    walker = Walker(every_s=240, accuracy_m=None).stay(3600).spike(800, 0)
    unsure = walker.fixes[-1]._replace(accuracy_m=800.0)
    after = walker.stay(3600).fixes
    sure = flagged(after, ON_FOOT)
    after[after.index(next(fix for fix in after if fix.recorded_at == unsure.recorded_at))] = unsure
    assert sure == [15]
    assert flagged(after, ON_FOOT) == []


def test_an_altitude_far_off_tells_against_a_fix_and_alone_never() -> None:
    walker = Walker(every_s=240, noise_m=2, accuracy_m=None).stay(3600).spike(180, 0).stay(3600)
    level = [fix._replace(altitude_m=30.0) for fix in walker.fixes]
    assert flagged(level, ON_FOOT) == []
    high = [fix._replace(altitude_m=700.0) if number == 15 else fix for number, fix in enumerate(level)]
    assert flagged(high, ON_FOOT) == [15]
    still = [fix._replace(lat=60.0, lon=24.0) for fix in high]
    assert flagged(still, ON_FOOT) == []


def test_tracks_of_nothing_one_and_two_fixes() -> None:
    assert outliers([]) == []
    assert outliers([Fix(0, 60, 24)]) == [False]
    assert outliers([Fix(0, 60, 24), Fix(600, 60.001, 24)]) == [False, False]
