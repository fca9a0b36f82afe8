from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import pytest

from tracker.domain.schedule import Schedule, Span, Weekly, Window, covers, moment_of, windows

HELSINKI = ZoneInfo("Europe/Helsinki")
SPRING, AUTUMN = date(2026, 3, 29), date(2026, 10, 25)  # 03:00 -> 04:00, 04:00 -> 03:00


def every_day(start: time, end: time) -> Schedule:
    return Schedule(weekly=(Weekly(days=frozenset(range(7)), spans=(Span(start=start, end=end),)),))


def utc(day: date, hour: int, minute: int = 0) -> datetime:
    return datetime.combine(day, time(hour, minute), UTC)


def of_day(schedule: Schedule, day: date, zone: ZoneInfo = HELSINKI) -> list[Window]:
    found = windows(schedule, utc(day, 0), utc(day, 20), zone)
    return [each for each in found if each.start.astimezone(zone).date() == day]


def test_a_time_that_does_not_exist_is_later_by_the_gap() -> None:
    assert moment_of(SPRING, time(3, 30), HELSINKI) == utc(SPRING, 1, 30)
    assert moment_of(SPRING, time(3, 30), HELSINKI).astimezone(HELSINKI).time() == time(4, 30)


def test_a_time_that_is_twice_is_the_first() -> None:
    assert moment_of(AUTUMN, time(3, 30), HELSINKI) == utc(AUTUMN, 0, 30)
    assert moment_of(AUTUMN, time(3, 30, fold=1), HELSINKI) == utc(AUTUMN, 0, 30)


def test_a_night_is_an_hour_shorter_in_spring_and_longer_in_autumn() -> None:
    night = every_day(time(0), time(7))
    assert [each.end - each.start for each in of_day(night, SPRING)] == [utc(SPRING, 6) - utc(SPRING, 0)]
    assert [each.end - each.start for each in of_day(night, AUTUMN)] == [utc(AUTUMN, 8) - utc(AUTUMN, 0)]


def test_a_span_of_which_only_the_start_falls_into_the_gap_is_none_that_day() -> None:
    # 03:30 is 04:30 of the clock, after the span's end at 04:10.
    assert of_day(every_day(time(3, 30), time(4, 10)), SPRING) == []
    assert len(of_day(every_day(time(3, 30), time(4, 10)), AUTUMN)) == 1


def test_the_hour_that_is_twice_is_covered_by_a_span_around_it_both_times() -> None:
    around = every_day(time(2), time(5))
    for minutes in range(-60, 180, 10):
        moment = utc(AUTUMN, 0) + minutes * (utc(AUTUMN, 0, 1) - utc(AUTUMN, 0))
        assert covers(around, moment, HELSINKI), minutes
    assert of_day(around, AUTUMN) == [Window(datetime(2026, 10, 24, 23, tzinfo=UTC), utc(AUTUMN, 3))]


@pytest.mark.parametrize(
    ("zone_name", "day", "hours"),
    [
        ("America/Havana", date(2026, 3, 8), 23),  # midnight itself does not exist
        ("America/Havana", date(2026, 11, 1), 25),  # and is twice
        ("Australia/Lord_Howe", date(2026, 10, 4), 23.5),  # half an hour
        ("Europe/Moscow", date(2026, 3, 29), 24),
    ],
)
def test_a_whole_day_is_as_long_as_that_day(zone_name: str, day: date, hours: float) -> None:
    zone = ZoneInfo(zone_name)
    whole = Schedule(
        weekly=(Weekly(days=frozenset({day.weekday()}), spans=(Span(start=time(), end=time()),)),)
    )
    (window,) = of_day(whole, day, zone)
    assert (window.end - window.start).total_seconds() == hours * 3600


def test_a_day_that_a_zone_skipped_has_no_windows_of_its_own() -> None:
    # Samoa went over the date line: 30 December 2011 is not in its calendar.
    apia = ZoneInfo("Pacific/Apia")
    found = windows(
        every_day(time(8), time(9)),
        datetime(2011, 12, 29, 11, tzinfo=UTC),
        datetime(2012, 1, 1, tzinfo=UTC),
        apia,
    )
    starts = [each.start for each in found if each.start < utc(date(2011, 12, 31), 12)]
    assert [each.astimezone(apia).strftime("%d %H") for each in starts] == ["29 08", "31 08"]
