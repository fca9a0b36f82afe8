from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from tests.domain.windows import next_window
from tracker.domain.schedule import Schedule, Span, Term, Weekly, Window, covers

ZONE = ZoneInfo("Europe/Moscow")
YEAR = (
    Term(first=date(2026, 9, 1), last=date(2026, 10, 24)),
    Term(
        first=date(2026, 11, 2),
        last=date(2027, 5, 26),
        holidays=((date(2026, 12, 28), date(2027, 1, 10)), (date(2027, 3, 22), date(2027, 3, 28))),
    ),
)
LESSONS = (Weekly(days=frozenset(range(6)), spans=(Span(start=time(8), end=time(14)),)),)
SCHOOL = Schedule(weekly=LESSONS, terms=YEAR, holidays=(date(2026, 11, 4),))


def at(day: date, hour: int) -> datetime:
    return datetime.combine(day, time(hour), ZONE).astimezone(UTC)


def test_a_term_holds_both_its_days() -> None:
    for day in (YEAR[0].first, YEAR[0].last, YEAR[1].last):
        assert covers(SCHOOL, at(day, 9), ZONE)
        assert not covers(SCHOOL, at(day, 15), ZONE)
    assert not covers(SCHOOL, at(date(2026, 8, 31), 9), ZONE)
    assert not covers(SCHOOL, at(date(2027, 5, 27), 9), ZONE)


def test_between_terms_and_on_holidays_there_is_no_school() -> None:
    for day in (
        date(2026, 10, 26),
        date(2026, 12, 28),
        date(2027, 1, 9),
        date(2027, 3, 24),
        date(2026, 11, 4),
    ):
        assert not covers(SCHOOL, at(day, 9), ZONE)
    assert covers(SCHOOL, at(date(2027, 1, 11), 9), ZONE)


def test_after_the_last_lesson_the_next_is_that_after_the_holidays() -> None:
    before = at(date(2026, 12, 26), 14)
    assert next_window(SCHOOL, before, ZONE) == Window(at(date(2027, 1, 11), 8), at(date(2027, 1, 11), 14))


def test_after_the_last_term_there_is_no_next() -> None:
    assert next_window(SCHOOL, at(date(2027, 5, 26), 14), ZONE) is None
    assert next_window(SCHOOL, at(date(2027, 5, 26), 13), ZONE) is not None


def test_two_terms_may_overlap() -> None:
    overlapping = Schedule(terms=(YEAR[0], Term(first=date(2026, 10, 1), last=date(2026, 10, 31))))
    days = [date(2026, 9, 1) + timedelta(days=each) for each in range(61)]
    assert all(covers(overlapping, at(day, 9), ZONE) for day in days)
