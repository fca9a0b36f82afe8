from datetime import time, timedelta

from tests.geofence.rules.day import MONDAY, Day, clock
from tracker.domain.crossing import How
from tracker.domain.schedule import Schedule, Span, Weekly


def test_a_going_before_the_hour_is_told_with_how_much() -> None:
    (raised,) = Day("left_early").comes("8:00").goes("12:40").told()
    assert (raised.type, raised.at_s) == ("left_early", clock("12:40"))
    assert (raised.data["until"], raised.data["early_s"]) == ("13:00", 20 * 60)


def test_a_going_at_the_hour_or_after_is_not() -> None:
    assert Day("left_early").comes("8:00").goes("13:00").tells() == []


def test_a_going_within_a_silence_over_the_hour_is_not() -> None:
    assert Day("left_early").comes("8:00").goes("13:20", earliest_s="12:00").tells() == []
    assert Day("left_early").comes("8:00").goes("12:50", earliest_s="12:00").tells() == [
        ("left_early", "12:50")
    ]


def test_a_first_fix_outside_is_not() -> None:
    assert Day("left_early").goes("10:00", how=How.FIRST).tells() == []


def test_a_day_without_school_is_not() -> None:
    lessons = Schedule(
        weekly=(Weekly(days=frozenset(range(5)), spans=(Span(start=time(8), end=time(13)),)),),
        holidays=(MONDAY,),
    )
    tuesday = MONDAY + timedelta(days=1)
    day = Day("left_early", schedule=lessons).comes("8:30").goes("10:00")
    day.comes(clock("7:00", tuesday)).goes(clock("7:30", tuesday))
    assert day.told(clock("20:00", tuesday)) == []
    day.comes(clock("8:20", tuesday)).goes(clock("11:00", tuesday))
    assert [each.at_s for each in day.told(clock("20:00", tuesday))] == [clock("11:00", tuesday)]
