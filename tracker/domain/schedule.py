"""When something applies: by the week, by a recurrence, within terms, by turns of weeks."""

from collections import deque
from collections.abc import Container, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from tracker.domain.errors import Invalid
from tracker.domain.recurrence import COUNTED_DAYS, bounded, dates, parse


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """From `start` to `end`, local; an end not after the start is on the next day, equal ones a whole day."""

    start: time
    end: time


@dataclass(frozen=True, slots=True, kw_only=True)
class Weekly:
    """Spans on days of the week; 0 is Monday."""

    days: frozenset[int]
    spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recurring:
    """An RRULE of RFC 5545 from the local moment `first` on, each time for `lasts`."""

    rrule: str
    first: datetime
    lasts: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """A school term, both days included, without its holidays, likewise."""

    first: date
    last: date
    holidays: tuple[tuple[date, date], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rota:
    """Turns of weeks, as between two homes: `weeks[n]` for the nth week from `first` on, again and again."""

    first: date
    weeks: tuple[bool, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """In force while any of `weekly` or `recurring` is, inside `terms` if there are any, in a true week of
    `rota`, never on `holidays`.

    With neither `weekly` nor `recurring` the other conditions alone count. `time_zone` None: that of the
    fence, without a fence of the account.
    """

    weekly: tuple[Weekly, ...] = ()
    recurring: tuple[Recurring, ...] = ()
    terms: tuple[Term, ...] = ()
    rota: Rota | None = None
    holidays: tuple[date, ...] = ()
    time_zone: str | None = None


class Window(NamedTuple):
    """From `start` up to, not with, `end`; both UTC."""

    start: datetime
    end: datetime


LOOK_BACK = timedelta(days=8)
"""How far before a moment a window's start is looked for."""
LOOK_AHEAD = timedelta(days=400)
"""How far after a moment a window, or its end, is looked for."""
LASTS_MOST = timedelta(days=7)
PARTS_MOST = 50
"""Entries of `weekly`, `recurring`, `terms`, spans of a day, holidays of a term, weeks of a rota."""
HOLIDAYS_MOST = 400

_DAY = timedelta(days=1)
_LEAP_YEARS_AHEAD = timedelta(days=5 * 366)
_EARLIEST, _LATEST = date(2000, 1, 1), date(2200, 1, 1)


def moment_of(day: date, at: time, zone: ZoneInfo) -> datetime:
    """Return the UTC moment of a local time.

    One that does not exist that day is later by the gap, of one that is twice it is the first (RFC 5545,
    3.3.5).
    """
    return datetime.combine(day, at.replace(tzinfo=None, fold=0), zone).astimezone(UTC)


def covers(schedule: Schedule, moment: datetime, zone: ZoneInfo) -> bool:
    """Tell whether the schedule is in force at the moment; its own time zone goes before `zone`."""
    zone = _zone(schedule, zone)
    day = moment.astimezone(zone).date()
    if not _is_open(schedule, day):
        return False
    if not schedule.weekly and not schedule.recurring:
        return True
    back = _days_back(schedule)
    base = _Base(schedule, zone, day - back * _DAY, day)
    return any(
        piece.start <= moment < piece.end for ago in range(back + 1) for piece in base.of(day - ago * _DAY)
    )


def windows(schedule: Schedule, since: datetime, until: datetime, zone: ZoneInfo) -> Iterator[Window]:
    """Yield the windows that touch `since`..`until`, by start, joined where they touch.

    A window that began more than 8 days before `since` is said to begin about then, one that ends more than
    400 days after `until` to end about then.
    """
    zone = _zone(schedule, zone)
    first = (since - LOOK_BACK).astimezone(zone).date()
    last = (until + LOOK_AHEAD).astimezone(zone).date()
    now: Window | None = None
    for piece in _pieces(schedule, first, last, zone):
        if now is not None and piece.start <= now.end:
            now = Window(now.start, max(now.end, piece.end))
            continue
        if now is not None and now.end > since:
            yield now
        now = piece
        if now.start > until:
            return
    if now is not None and now.end > since:
        yield now


def check(schedule: Schedule, zone_names: Container[str], today: date) -> None:
    """Refuse what can never be in force, or cannot be read.

    In force must be some moment of the next 400 days, of a recurrence of the next five years (29 February).

    Raises:
        Invalid: fields `schedule...` and why.
    """
    if schedule.time_zone is not None and schedule.time_zone not in zone_names:
        raise Invalid(("schedule.time_zone", "is no time zone of the IANA database"))
    _check_sizes(schedule)
    for number, weekly in enumerate(schedule.weekly):
        at = f"schedule.weekly.{number}"
        if not weekly.days or not weekly.days <= set(range(7)):
            raise Invalid((f"{at}.days", "must be days from 0 (Monday) to 6 (Sunday), at least one"))
        if not weekly.spans:
            raise Invalid((f"{at}.spans", "at least one is needed"))
    for number, recurring in enumerate(schedule.recurring):
        _check_recurring(recurring, f"schedule.recurring.{number}")
    for number, term in enumerate(schedule.terms):
        _check_term(term, f"schedule.terms.{number}")
    if schedule.rota is not None and not any(schedule.rota.weeks):
        raise Invalid(("schedule.rota.weeks", "at least one week must be in force"))
    ahead = _LEAP_YEARS_AHEAD if schedule.recurring else LOOK_AHEAD
    if next(_pieces(schedule, today, today + ahead, ZoneInfo("UTC")), None) is None:
        raise Invalid(("schedule", "is never in force"))


class _Base:
    """The windows of `weekly` and `recurring` by the day on which they begin, of the days `first`..`last`."""

    def __init__(self, schedule: Schedule, zone: ZoneInfo, first: date, last: date) -> None:
        self._weekly, self._zone = schedule.weekly, zone
        self._recurring = [
            (each, frozenset(dates(bounded(each.rrule, day, zone), day, first, last)))
            for each in schedule.recurring
            for day in (each.first.date(),)
        ]

    def of(self, day: date) -> list[Window]:
        """Return the windows that begin on the day; a span that falls into a gap of the clock is none."""
        found = []
        for weekly in self._weekly:
            for span in weekly.spans if day.weekday() in weekly.days else ():
                last = day if span.end > span.start else day + _DAY
                found.append(
                    Window(moment_of(day, span.start, self._zone), moment_of(last, span.end, self._zone))
                )
        for recurring, days in self._recurring:
            if day in days:
                start = moment_of(day, recurring.first.time(), self._zone)
                found.append(Window(start, start + recurring.lasts))
        return [window for window in found if window.end > window.start]


def _pieces(schedule: Schedule, first: date, last: date, zone: ZoneInfo) -> Iterator[Window]:
    """Yield what of the days `first`..`last` is in force, by start, cut at midnights."""
    always = not schedule.weekly and not schedule.recurring
    back = _days_back(schedule)
    base = _Base(schedule, zone, first - back * _DAY, last)
    begun = deque((base.of(first - ago * _DAY) for ago in range(back, 0, -1)), maxlen=back + 1)
    day = first
    while day <= last:
        begun.append(base.of(day))
        if _is_open(schedule, day):
            midnight, next_midnight = moment_of(day, time(), zone), moment_of(day + _DAY, time(), zone)
            if always:
                yield Window(midnight, next_midnight)
            else:
                cut = (
                    Window(max(each.start, midnight), min(each.end, next_midnight))
                    for windows_of_day in begun
                    for each in windows_of_day
                )
                yield from sorted(each for each in cut if each.end > each.start)
        day += _DAY


def _is_open(schedule: Schedule, day: date) -> bool:
    """Tell whether terms, rota and holidays leave the day."""
    if day in schedule.holidays:
        return False
    if schedule.terms and not any(_is_taught(term, day) for term in schedule.terms):
        return False
    rota = schedule.rota
    if rota is None or not rota.weeks:
        return True
    return rota.weeks[(day - rota.first).days // 7 % len(rota.weeks)]


def _is_taught(term: Term, day: date) -> bool:
    return term.first <= day <= term.last and not any(start <= day <= end for start, end in term.holidays)


def _zone(schedule: Schedule, zone: ZoneInfo) -> ZoneInfo:
    return ZoneInfo(schedule.time_zone) if schedule.time_zone is not None else zone


def _days_back(schedule: Schedule) -> int:
    """Return how many days before a window's last one it may begin: an evening's span ends the next day."""
    longest = max((each.lasts for each in schedule.recurring), default=timedelta())
    return min(longest, LASTS_MOST).days + 1


def _check_sizes(schedule: Schedule) -> None:
    for name in ("weekly", "recurring", "terms"):
        if len(getattr(schedule, name)) > PARTS_MOST:
            raise Invalid((f"schedule.{name}", "at most 50"))
    if any(len(weekly.spans) > PARTS_MOST for weekly in schedule.weekly):
        raise Invalid(("schedule.weekly", "at most 50 spans a day"))
    if len(schedule.holidays) > HOLIDAYS_MOST:
        raise Invalid(("schedule.holidays", "at most 400"))
    if schedule.rota is not None and len(schedule.rota.weeks) > PARTS_MOST:
        raise Invalid(("schedule.rota.weeks", "at most 50"))


def _check_recurring(recurring: Recurring, at: str) -> None:
    try:
        rule = parse(recurring.rrule)
    except Invalid as error:
        raise Invalid(*((f"{at}.{field}", why) for field, why in error.errors)) from None
    if not timedelta() < recurring.lasts <= LASTS_MOST:
        raise Invalid((f"{at}.lasts_s", "must be more than nothing and at most 7 days"))
    if recurring.first.tzinfo is not None:
        raise Invalid((f"{at}.first", "must be a local time, without a zone"))
    first = recurring.first.date()
    if not _EARLIEST <= first <= _LATEST:
        raise Invalid((f"{at}.first", "must be of the years 2000 to 2199"))
    if rule.count is not None:
        # What the walk cannot count to the end would stop in silence one day.
        found = sum(1 for _ in dates(rule, first, first, first + timedelta(days=COUNTED_DAYS)))
        if found < rule.count:
            raise Invalid((f"{at}.rrule", "its COUNT reaches further than 11 years: give UNTIL"))


def _check_term(term: Term, at: str) -> None:
    if term.last < term.first:
        raise Invalid((f"{at}.last", "must not be before first"))
    if len(term.holidays) > PARTS_MOST:
        raise Invalid((f"{at}.holidays", "at most 50"))
    for number, (start, end) in enumerate(term.holidays):
        if end < start:
            raise Invalid((f"{at}.holidays.{number}", "must not end before it begins"))
