from tests.geofence.rules.day import PHONE, WATCH, Day, clock
from tracker.domain.crossing import How

FAST, SLOW = 10.0, 3.0


def driving(since: str, until: str, speed_mps: float = FAST, *, north_m: float = 0, **more: float) -> Day:
    day = Day("speed_in_place", for_s=10).comes("8:00", how=How.FIRST)
    return day.reports(since, until, north_m, every_s=5, speed_mps=speed_mps, **more)


def test_too_fast_for_long_enough_is_told_once_from_its_start() -> None:
    (raised,) = driving("9:00", "9:02").told()
    assert (raised.type, raised.at_s, raised.decided_at_s) == ("speeding", clock("9:00"), clock("9:00:10"))
    assert (raised.data["speed_mps"], raised.data["limit_mps"]) == (FAST, 5.0)


def test_a_moment_or_a_speed_within_the_tolerance_is_not() -> None:
    assert driving("9:00", "9:00:05").tells() == []
    assert driving("9:00", "9:02", 5.2).tells() == []


def test_slowing_down_ends_it_and_the_next_is_another() -> None:
    day = (
        driving("9:00", "9:01")
        .is_at("9:02", 0, speed_mps=SLOW)
        .reports("9:03", "9:04", 0, every_s=5, speed_mps=FAST)
    )
    assert day.tells() == [("speeding", "09:00"), ("speeding", "09:03")]


def test_two_fast_fixes_with_a_gap_between_say_nothing_of_it() -> None:
    day = Day("speed_in_place", for_s=10).comes("8:00").is_at("9:00", 0, speed_mps=FAST)
    assert day.is_at("9:10", 0, speed_mps=FAST).tells() == []


def test_elsewhere_it_may_be_as_fast_as_it_likes() -> None:
    assert driving("9:00", "9:02").tells() != []
    assert driving("9:00", "9:02").goes("8:30").tells() == []


def test_who_speeds_up_behind_the_gate_is_not_too_fast_inside() -> None:
    # The going out is confirmed only at 9:03.
    assert driving("9:00", "9:02", north_m=300).goes("9:00", decided_s="9:03").tells() == []


def test_only_the_device_that_is_inside_counts() -> None:
    day = Day("speed_in_place", for_s=10, devices=(PHONE, WATCH)).comes("8:00", device_id=WATCH)
    assert day.reports("9:00", "9:02", 0, every_s=5, speed_mps=FAST).tells() == []


def test_a_fix_without_a_speed_is_passed_over() -> None:
    day = Day("speed_in_place", for_s=10).comes("8:00").reports("9:00", "9:02", 0, every_s=5)
    assert day.tells() == []


def test_a_fix_that_was_confirmed_later_counts_at_its_own_moment() -> None:
    day = Day("speed_in_place", for_s=10).comes("8:00")
    day.is_at("9:00", 0, speed_mps=FAST, known_s=clock("9:00:12")).is_at("9:00:12", 0, speed_mps=FAST)
    (raised,) = day.told()
    assert (raised.at_s, raised.decided_at_s) == (clock("9:00"), clock("9:00:12"))
