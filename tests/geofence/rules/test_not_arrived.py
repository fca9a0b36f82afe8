from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from tests.geofence.rules.day import MONDAY, PHONE, WATCH, Day, clock
from tracker.domain.crossing import Evidence, How
from tracker.domain.schedule import Schedule, Span, Weekly

WORKDAYS = Schedule(weekly=(Weekly(days=frozenset(range(5)), spans=(Span(start=time(7), end=time(8, 30)),)),))
SATURDAY, SUNDAY = MONDAY + timedelta(days=5), MONDAY + timedelta(days=6)
FAR_M, EDGE_M = 5000.0, 98.0


def test_who_is_elsewhere_and_in_touch_is_not_there() -> None:
    day = Day("not_arrived").reports("6:00", "9:00", FAR_M)
    (raised,) = day.told()
    assert (raised.type, raised.at_s, raised.decided_at_s) == ("not_arrived", clock("8:35"), clock("8:35"))
    assert raised.data["by"] == "08:30"
    assert "probability_pct" not in raised.data
    (last,) = raised.why
    assert isinstance(last, Evidence)
    assert last.at_s == clock("8:30")
    assert 4890 < last.distance_m < 4910


def test_nothing_is_told_before_the_grace_is_over() -> None:
    assert Day("not_arrived").reports("6:00", "8:30", FAR_M).tells("8:34:59") == []


def test_who_comes_in_time_or_within_the_grace_is_there() -> None:
    assert Day("not_arrived").reports("6:00", "8:00", FAR_M).comes("8:10").tells() == []
    assert Day("not_arrived").reports("6:00", "8:30", FAR_M).comes("8:33", decided_s="8:34").tells() == []


def test_who_was_there_since_the_day_before_is_there() -> None:
    assert Day("not_arrived").comes("0:10").tells() == []
    assert Day("not_arrived").comes("0:10", how=How.FIRST).tells() == []


def test_who_was_there_at_the_hour_may_leave_in_the_grace() -> None:
    assert Day("not_arrived").comes("8:00").goes("8:31", decided_s="8:32").tells() == []


def test_who_came_and_left_again_is_not_there() -> None:
    day = Day("not_arrived").comes("7:30").goes("8:10").reports("7:00", "9:00", FAR_M)
    assert day.tells() == [("not_arrived", "08:35")]


def test_of_a_silent_phone_nobody_knows() -> None:
    (raised,) = Day("not_arrived").reports("6:00", "7:40", FAR_M).told()
    assert (raised.type, raised.at_s) == ("not_arrived_silent", clock("8:35"))
    assert raised.data["heard_at"] == clock("7:40")
    assert raised.data["silent_s"] == 55 * 60
    assert isinstance(raised.why[0], Evidence)
    assert raised.why[0].at_s == clock("7:40")


def test_the_age_is_exact_though_far_fixes_are_not_all_remembered() -> None:
    (raised,) = Day("not_arrived").reports("1:00", "4:44", FAR_M, every_s=60).told()
    assert raised.data["heard_at"] == clock("4:44")


def test_a_phone_that_tells_no_place_is_not_in_touch() -> None:
    (raised,) = Day("not_arrived").reports("6:00", "7:40", FAR_M).hears("8:30").told()
    assert raised.type == "not_arrived_silent"
    assert raised.data["heard_at"] == clock("8:30")


def test_of_whom_nothing_was_ever_heard_no_moment_is_told() -> None:
    (raised,) = Day("not_arrived").told()
    assert raised.type == "not_arrived_silent"
    assert "heard_at" not in raised.data
    assert raised.why == ()


def test_a_phone_that_wakes_after_the_hour_was_silent_at_it() -> None:
    day = Day("not_arrived").reports("6:00", "7:40", FAR_M).reports("9:00", "9:30", FAR_M)
    (raised,) = day.told()
    assert raised.type == "not_arrived_silent"
    assert raised.data["heard_at"] == clock("7:40")


def test_a_long_silence_is_measured_exactly_too() -> None:
    day = Day("not_arrived", silent_after_s=3 * 3600).reports("1:00", "5:36", FAR_M, every_s=60)
    assert day.tells() == [("not_arrived", "08:35")]
    day = Day("not_arrived", silent_after_s=3 * 3600).reports("1:00", "5:34", FAR_M, every_s=60)
    assert day.tells() == [("not_arrived_silent", "08:35")]


def test_who_is_on_the_edge_is_waited_for_once_more() -> None:
    day = Day("not_arrived").reports("8:00", "8:35", EDGE_M)
    assert day.tells("8:39:59") == []
    (raised,) = day.told()
    assert (raised.type, raised.at_s, raised.decided_at_s) == ("not_arrived", clock("8:35"), clock("8:40"))
    assert 10 < raised.data["probability_pct"] < 85
    assert Day("not_arrived").reports("8:00", "8:35", EDGE_M).comes("8:37", decided_s="8:39").tells() == []


def test_who_is_inside_by_one_fix_is_waited_for_till_it_is_confirmed() -> None:
    day = Day("not_arrived", grace_s=0).reports("7:00", "8:25", FAR_M).is_at("8:29", 0)
    assert day.comes("8:29", decided_s="8:31").tells() == []


def test_one_sure_fix_inside_with_none_against_it_is_no_alarm() -> None:
    alone = Day("not_arrived").reports("7:00", "8:25", FAR_M).is_at("8:34", 0)
    assert alone.tells() == []
    assert alone.is_at("8:36", FAR_M).tells() == [("not_arrived", "08:35")]
    stale = Day("not_arrived").reports("6:00", "7:40", 0)
    assert stale.tells() == [("not_arrived_silent", "08:35")]


def test_who_comes_late_is_told_and_ends_it() -> None:
    day = Day("not_arrived").reports("6:00", "9:10", FAR_M).comes("9:12", decided_s="9:13")
    first, late = day.told()
    assert (late.type, late.at_s, late.ends) == ("arrived_late", clock("9:12"), True)
    assert late.slot == first.slot
    assert (late.data["late_s"], late.data["by"]) == (42 * 60, "08:30")
    assert day.goes("10:00").comes("10:30").tells() == [("not_arrived", "08:35"), ("arrived_late", "09:12")]


def test_a_coming_in_the_evening_after_twelve_hours_is_not_that_one() -> None:
    day = Day("not_arrived").reports("6:00", "9:00", FAR_M).comes("20:31")
    assert day.tells() == [("not_arrived", "08:35")]


def test_each_day_in_force_has_its_own() -> None:
    day = Day("not_arrived")
    slots = [each.slot for each in day.told(clock("12:00", MONDAY + timedelta(days=2)))]
    assert len(slots) == len(set(slots)) == 3


def test_weekends_and_holidays_have_no_hour() -> None:
    holidays = (MONDAY + timedelta(days=2),)
    schedule = Schedule(weekly=WORKDAYS.weekly, holidays=holidays)
    day = Day("not_arrived", schedule=schedule)
    assert len(day.told(clock("12:00", SUNDAY))) == 4
    assert day.told(clock("12:00", SATURDAY)) == day.told(clock("12:00", SUNDAY))


def test_a_fence_that_sleeps_has_no_hour() -> None:
    assert Day("not_arrived", asleep=Schedule(holidays=(MONDAY,))).tells() == []


def test_a_schedule_that_ends_with_the_hour_holds_it() -> None:
    assert Day("not_arrived", schedule=WORKDAYS).tells() == [("not_arrived_silent", "08:35")]
    assert Day("not_arrived", by="08:31", schedule=WORKDAYS).tells() == []


def test_an_hour_before_the_rule_was_made_is_none() -> None:
    assert Day("not_arrived", active="8:31").tells() == []


def test_any_device_of_the_child_may_be_there() -> None:
    day = Day("not_arrived", devices=(PHONE, WATCH)).reports("6:00", "9:00", FAR_M)
    assert day.comes("8:10", device_id=WATCH).tells() == []


def test_the_hour_is_kept_when_the_clocks_change() -> None:
    helsinki, spring = ZoneInfo("Europe/Helsinki"), date(2026, 3, 28)
    day = Day("not_arrived", by="03:30", grace_s=0).renamed(active_from=datetime.combine(spring, time(), UTC))
    day.setting = day.setting._replace(zone=helsinki)
    told = day.told(clock("12:00", date(2026, 3, 30)))
    moments = [datetime.fromtimestamp(each.at_s, helsinki).strftime("%d %H:%M") for each in told]
    # 03:30 of 29 March does not exist.
    assert moments == ["28 03:30", "29 04:30", "30 03:30"]
