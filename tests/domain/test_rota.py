from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from dateutil.rrule import rrulestr

from tracker.domain.schedule import Recurring, Rota, Schedule, Span, Weekly, covers, windows

ZONE = ZoneInfo("Europe/Moscow")
FIRST = date(2026, 9, 7)  # a Monday
EVENINGS = (Weekly(days=frozenset(range(7)), spans=(Span(start=time(19), end=time(21)),)),)


def at(day: date, hour: int) -> datetime:
    return datetime.combine(day, time(hour), ZONE).astimezone(UTC)


def test_two_homes_take_turns_by_the_week() -> None:
    mother = Schedule(rota=Rota(first=FIRST, weeks=(True, False)))
    father = Schedule(rota=Rota(first=FIRST, weeks=(False, True)))
    for days in range(-30, 400):
        day = FIRST + timedelta(days=days)
        assert covers(mother, at(day, 12), ZONE) is (days // 7 % 2 == 0)
        assert covers(mother, at(day, 12), ZONE) is not covers(father, at(day, 12), ZONE)


def test_the_turn_comes_on_the_weekday_of_its_first_day() -> None:
    from_friday = Schedule(rota=Rota(first=date(2026, 9, 4), weeks=(True, False)))
    assert covers(from_friday, at(date(2026, 9, 10), 23), ZONE)
    assert not covers(from_friday, at(date(2026, 9, 11), 0), ZONE)


def test_a_rota_of_three_and_one_repeats_after_four_weeks() -> None:
    rota = Schedule(rota=Rota(first=FIRST, weeks=(True, True, True, False)))
    at_home = [covers(rota, at(FIRST + timedelta(weeks=week), 12), ZONE) for week in range(8)]
    assert at_home == [True, True, True, False] * 2


def test_a_rota_bounds_the_week_within_its_turns() -> None:
    schedule = Schedule(weekly=EVENINGS, rota=Rota(first=FIRST, weeks=(True, False)))
    found = list(windows(schedule, at(FIRST, 0), at(FIRST + timedelta(days=28), 0), ZONE))
    evenings = [each for each in found if each.start < at(FIRST + timedelta(days=28), 0)]
    assert len(evenings) == 14
    assert all((each.start.astimezone(ZONE).date() - FIRST).days // 7 % 2 == 0 for each in evenings)


def test_a_recurrence_of_every_second_week_says_the_same() -> None:
    rule = "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TU,WE,TH,FR,SA,SU"
    recurring = Schedule(
        recurring=(Recurring(rrule=rule, first=datetime.combine(FIRST, time()), lasts=timedelta(days=1)),)
    )
    rota = Schedule(rota=Rota(first=FIRST, weeks=(True, False)))
    theirs = {each.date() for each in rrulestr(rule, dtstart=datetime.combine(FIRST, time())).xafter(
        datetime.combine(FIRST, time()), count=200, inc=True
    )}  # fmt: skip
    for days in range(300):
        day = FIRST + timedelta(days=days)
        assert covers(recurring, at(day, 12), ZONE) is covers(rota, at(day, 12), ZONE) is (day in theirs)
