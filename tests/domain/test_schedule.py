from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.domain.windows import next_window
from tracker.domain.errors import Invalid
from tracker.domain.schedule import (
    Recurring,
    Rota,
    Schedule,
    Span,
    Term,
    Weekly,
    Window,
    check,
    covers,
    windows,
)

MOSCOW = ZoneInfo("Europe/Moscow")
ZONES = frozenset(available_timezones())
WORKDAYS = frozenset(range(5))
TODAY = date(2026, 11, 23)  # a Monday
LESSONS = Schedule(weekly=(Weekly(days=WORKDAYS, spans=(Span(start=time(8, 30), end=time(13)),)),))


def moscow(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=MOSCOW).astimezone(UTC)


def nights(*days: int) -> Schedule:
    return Schedule(weekly=(Weekly(days=frozenset(days), spans=(Span(start=time(22), end=time(7)),)),))


def test_a_span_holds_its_start_and_not_its_end() -> None:
    assert covers(LESSONS, moscow(23, 8, 30), MOSCOW)
    assert covers(LESSONS, moscow(23, 12, 59), MOSCOW)
    assert not covers(LESSONS, moscow(23, 13), MOSCOW)
    assert not covers(LESSONS, moscow(23, 8, 29), MOSCOW)
    assert not covers(LESSONS, moscow(22, 10), MOSCOW)


def test_a_night_belongs_to_the_day_on_which_it_begins() -> None:
    friday = nights(4)
    assert covers(friday, moscow(27, 22), MOSCOW)
    assert covers(friday, moscow(28, 6, 59), MOSCOW)
    assert not covers(friday, moscow(28, 7), MOSCOW)
    assert not covers(friday, moscow(27, 6), MOSCOW)


def test_equal_ends_are_a_whole_day() -> None:
    monday = Schedule(weekly=(Weekly(days=frozenset({0}), spans=(Span(start=time(), end=time()),)),))
    assert list(windows(monday, moscow(23, 12), moscow(24, 12), MOSCOW)) == [
        Window(moscow(23, 0), moscow(24, 0))
    ]


def test_without_weeks_and_recurrences_the_other_conditions_alone_count() -> None:
    assert covers(Schedule(), moscow(23, 3), MOSCOW)
    holiday = Schedule(holidays=(date(2026, 11, 24),))
    assert not covers(holiday, moscow(24, 3), MOSCOW)
    assert covers(holiday, moscow(25, 0), MOSCOW)


def test_a_holiday_takes_only_its_own_hours_of_a_night() -> None:
    schedule = Schedule(weekly=nights(0, 1).weekly, holidays=(date(2026, 11, 24),))
    assert list(windows(schedule, moscow(23, 12), moscow(25, 12), MOSCOW)) == [
        Window(moscow(23, 22), moscow(24, 0)),
        Window(moscow(25, 0), moscow(25, 7)),
    ]


def test_windows_that_touch_are_one() -> None:
    days = frozenset(range(7))
    spans = (Span(start=time(8), end=time(12)), Span(start=time(12), end=time(15)))
    joined = Schedule(weekly=(Weekly(days=days, spans=spans), *nights(0).weekly))
    assert list(windows(joined, moscow(23, 0), moscow(24, 9), MOSCOW)) == [
        Window(moscow(23, 8), moscow(23, 15)),
        Window(moscow(23, 22), moscow(24, 7)),
        Window(moscow(24, 8), moscow(24, 15)),
    ]


def test_a_window_is_told_whole_though_it_began_before() -> None:
    assert next_window(LESSONS, moscow(23, 10), MOSCOW) == Window(moscow(23, 8, 30), moscow(23, 13))
    assert next_window(LESSONS, moscow(23, 13), MOSCOW) == Window(moscow(24, 8, 30), moscow(24, 13))


def test_its_own_time_zone_goes_before_the_one_given() -> None:
    tokyo = Schedule(weekly=LESSONS.weekly, time_zone="Asia/Tokyo")
    assert covers(tokyo, moscow(23, 3), MOSCOW)
    assert not covers(tokyo, moscow(23, 10), MOSCOW)


def test_what_recurs_lasts_over_midnight() -> None:
    camp = Recurring(rrule="FREQ=YEARLY", first=datetime(2025, 11, 22, 18), lasts=timedelta(days=2))  # noqa: DTZ001
    schedule = Schedule(recurring=(camp,))
    assert covers(schedule, moscow(24, 17, 59), MOSCOW)
    assert not covers(schedule, moscow(24, 18), MOSCOW)
    assert list(windows(schedule, moscow(23, 0), moscow(25, 0), MOSCOW)) == [
        Window(moscow(22, 18), moscow(24, 18))
    ]


schedules = st.builds(
    Schedule,
    weekly=st.lists(
        st.builds(
            Weekly,
            days=st.frozensets(st.integers(0, 6), min_size=1),
            spans=st.lists(st.builds(Span, start=st.times(), end=st.times()), min_size=1, max_size=2).map(
                tuple
            ),
        ),
        max_size=2,
    ).map(tuple),
    recurring=st.lists(
        st.builds(
            Recurring,
            rrule=st.sampled_from(("FREQ=DAILY;INTERVAL=3", "FREQ=WEEKLY;BYDAY=MO,SA", "FREQ=DAILY;COUNT=9")),
            first=st.datetimes(datetime(2026, 3, 1), datetime(2026, 4, 20)),  # noqa: DTZ001
            lasts=st.timedeltas(timedelta(minutes=1), timedelta(days=4)),
        ),
        max_size=1,
    ).map(tuple),
    rota=st.none() | st.builds(Rota, first=st.just(date(2026, 3, 2)), weeks=st.just((True, False))),
    holidays=st.lists(st.dates(date(2026, 3, 20), date(2026, 4, 5)), max_size=3).map(tuple),
)


@given(
    schedules,
    st.datetimes(datetime(2026, 3, 20), datetime(2026, 4, 5), timezones=st.just(UTC)),  # noqa: DTZ001
    st.sampled_from(("Europe/Helsinki", "America/Havana", "Asia/Kolkata", "Australia/Lord_Howe")),
)
def test_a_moment_is_covered_just_when_a_window_holds_it(
    schedule: Schedule, moment: datetime, zone_name: str
) -> None:
    zone = ZoneInfo(zone_name)
    found = list(windows(schedule, moment - timedelta(days=3), moment + timedelta(days=3), zone))
    assert found == sorted(found)
    assert all(one.end < other.start for one, other in pairwise(found))
    assert covers(schedule, moment, zone) is any(each.start <= moment < each.end for each in found)


def weekly(days: frozenset[int], *spans: Span) -> Schedule:
    return Schedule(weekly=(Weekly(days=days, spans=spans),))


def recurs(rrule: str, lasts: timedelta = timedelta(hours=1), year: int = 2026) -> Schedule:
    return Schedule(recurring=(Recurring(rrule=rrule, first=datetime(year, 9, 1, 8), lasts=lasts),))  # noqa: DTZ001


DAY = Span(start=time(8), end=time(9))
PAST = Term(first=date(2025, 1, 1), last=date(2025, 5, 31))


@pytest.mark.parametrize(
    ("schedule", "field"),
    [
        (Schedule(time_zone="Europe/Nowhere"), "schedule.time_zone"),
        (Schedule(time_zone=""), "schedule.time_zone"),
        (Schedule(time_zone="../etc/passwd"), "schedule.time_zone"),
        (weekly(frozenset(), DAY), "schedule.weekly.0.days"),
        (weekly(frozenset({7}), DAY), "schedule.weekly.0.days"),
        (weekly(WORKDAYS), "schedule.weekly.0.spans"),
        (weekly(WORKDAYS, *[DAY] * 51), "schedule.weekly"),
        (Schedule(weekly=LESSONS.weekly * 51), "schedule.weekly"),
        (recurs("FREQ=SECONDLY"), "schedule.recurring.0.rrule"),
        (recurs("FREQ=DAILY;BYHOUR=1"), "schedule.recurring.0.rrule.BYHOUR"),
        (recurs("FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30"), "schedule"),
        (recurs("FREQ=DAILY;UNTIL=20260930"), "schedule"),
        (recurs("FREQ=YEARLY;COUNT=20"), "schedule.recurring.0.rrule"),
        (recurs("FREQ=DAILY", timedelta()), "schedule.recurring.0.lasts_s"),
        (recurs("FREQ=DAILY", timedelta(days=8)), "schedule.recurring.0.lasts_s"),
        (recurs("FREQ=DAILY", year=1900), "schedule.recurring.0.first"),
        (Schedule(terms=(PAST,)), "schedule"),
        (Schedule(terms=(Term(first=TODAY, last=TODAY - timedelta(days=1)),)), "schedule.terms.0.last"),
        (
            Schedule(terms=(Term(first=TODAY, last=TODAY, holidays=((TODAY, date(2026, 1, 1)),)),)),
            "schedule.terms.0.holidays.0",
        ),
        (Schedule(rota=Rota(first=TODAY, weeks=(False, False))), "schedule.rota.weeks"),
        (Schedule(rota=Rota(first=TODAY, weeks=())), "schedule.rota.weeks"),
        (Schedule(holidays=(TODAY,) * 401), "schedule.holidays"),
        (
            Schedule(weekly=weekly(frozenset({5}), DAY).weekly, terms=(Term(first=TODAY, last=TODAY),)),
            "schedule",
        ),
    ],
)
def test_what_cannot_be_or_never_is_in_force_is_refused_at_its_field(schedule: Schedule, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        check(schedule, ZONES, TODAY)
    assert [name for name, _ in refused.value.errors] == [field]


@pytest.mark.parametrize(
    "schedule",
    [
        Schedule(),
        LESSONS,
        recurs("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29"),
        recurs("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,WE"),
        recurs("FREQ=DAILY;COUNT=3660", year=2024),
        Schedule(terms=(PAST, Term(first=TODAY, last=TODAY)), time_zone="Europe/Moscow"),
    ],
)
def test_what_is_in_force_some_day_is_taken(schedule: Schedule) -> None:
    check(schedule, ZONES, TODAY)
