"""Recurring days: the part of RFC 5545's RRULE whose dates can be told day by day.

A rule is never expanded: each date of interest is asked whether it matches, so that the work is bounded by
the span looked at, whatever the rule says (`FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30` has no date at all).
"""

import calendar
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from zoneinfo import ZoneInfo

from tracker.domain.errors import Invalid

TEXT_LENGTH = 200
INTERVAL_MOST = 366
COUNT_MOST = 3_660
COUNTED_DAYS = 4_200
"""A COUNT is counted from the first day on, over at most so many days; what lies beyond is no date of it."""
RULES_KEPT = 1_024

_DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_PARTS = frozenset({"FREQ", "INTERVAL", "BYDAY", "BYMONTHDAY", "BYMONTH", "UNTIL", "COUNT", "WKST"})
_UNTIL = re.compile(r"\d{8}(?:T\d{6}Z?)?")
_BYDAY = re.compile(r"(?P<nth>[+-]?[1-5])?(?P<day>MO|TU|WE|TH|FR|SA|SU)")
_WHOLE = re.compile(r"[+-]?\d{1,5}")


class Freq(StrEnum):
    """The frequencies taken; those below a day never end for some rules."""

    DAILY = "DAILY"
    WEEKLY = "WEEKLY"
    MONTHLY = "MONTHLY"
    YEARLY = "YEARLY"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recurrence:
    """An RRULE as read.

    `days` pairs an ordinal within the month (0: every) and a weekday, 0 Monday. Empty tuples and None: not
    said. `week_start` is the weekday on which weeks begin.
    """

    freq: Freq
    interval: int = 1
    days: tuple[tuple[int, int], ...] = ()
    month_days: tuple[int, ...] = ()
    months: tuple[int, ...] = ()
    until: date | None = None
    count: int | None = None
    week_start: int = 0


def parse(text: str, zone: ZoneInfo | None = None) -> Recurrence:
    """Read an RRULE, with or without the word before it.

    Taken: FREQ (daily to yearly), INTERVAL 1..366, BYDAY (numbered ones with MONTHLY), BYMONTHDAY (not with
    WEEKLY), BYMONTH, UNTIL or COUNT 1..3,660, WKST. UNTIL counts by its date, that of `zone` if it is in UTC.

    Raises:
        Invalid: field "rrule", or "rrule.NAME" of one part, and why.
    """
    parts = _parts(text)
    freq = parts.get("FREQ", "")
    if freq not in Freq.__members__:
        raise Invalid(("rrule", "FREQ must be DAILY, WEEKLY, MONTHLY or YEARLY"))
    if "UNTIL" in parts and "COUNT" in parts:
        raise Invalid(("rrule", "UNTIL and COUNT exclude each other"))
    if freq == Freq.WEEKLY and "BYMONTHDAY" in parts:
        raise Invalid(("rrule", "BYMONTHDAY does not go with WEEKLY"))
    count = _wholes(parts, "COUNT", 1, COUNT_MOST)
    return Recurrence(
        freq=Freq(freq),
        interval=(_wholes(parts, "INTERVAL", 1, INTERVAL_MOST) or (1,))[0],
        days=_days(parts, numbered=freq == Freq.MONTHLY),
        month_days=_wholes(parts, "BYMONTHDAY", -31, 31),
        months=_wholes(parts, "BYMONTH", 1, 12),
        until=_until(parts["UNTIL"], zone) if "UNTIL" in parts else None,
        count=count[0] if count else None,
        week_start=_week_start(parts.get("WKST", "MO")),
    )


def matches(rule: Recurrence, first: date, day: date) -> bool:
    """Tell whether the day is one of the rule's, begun on `first`; its COUNT is not looked at."""
    if day < first or (rule.until is not None and day > rule.until):
        return False
    if rule.months and day.month not in rule.months:
        return False
    return _steps(rule, first, day) % rule.interval == 0 and _in_pattern(rule, first, day)


def dates(rule: Recurrence, first: date, since: date, until: date) -> Iterator[date]:
    """Yield the rule's days from `since` to `until`, both included, of a rule begun on `first`.

    With a COUNT the walk begins at `first` and ends after 4,200 days.
    """
    at, left = max(first, since), None
    if rule.count is not None:
        at, left = first, rule.count
        until = min(until, first + timedelta(days=COUNTED_DAYS))
    while at <= until and left != 0:
        if matches(rule, first, at):
            if left is not None:
                left -= 1
            if at >= since:
                yield at
        at += timedelta(days=1)


@lru_cache(maxsize=RULES_KEPT)
def bounded(text: str, first: date, zone: ZoneInfo) -> Recurrence:
    """Return `parse` of the text with the UNTIL that its COUNT comes to, so that no later look counts again.

    Raises:
        Invalid: as `parse` does.
    """
    rule = parse(text, zone)
    if rule.count is None:
        return rule
    counted = dates(rule, first, first, first + timedelta(days=COUNTED_DAYS))
    last = max(counted, default=first - timedelta(days=1))
    return replace(rule, count=None, until=last)


def _parts(text: str) -> dict[str, str]:
    if len(text) > TEXT_LENGTH:
        raise Invalid(("rrule", "is too long"))
    pairs = [part.partition("=") for part in text.upper().strip().removeprefix("RRULE:").split(";") if part]
    parts = {name: value for name, _, value in pairs}
    if not pairs or len(parts) != len(pairs) or not all(parts.values()):
        raise Invalid(("rrule", "must be NAME=VALUE;NAME=VALUE, each name once"))
    for name in parts:
        if name not in _PARTS:
            raise Invalid((f"rrule.{name[:16]}", "is not supported"))
    return parts


def _wholes(parts: dict[str, str], name: str, least: int, most: int) -> tuple[int, ...]:
    if name not in parts:
        return ()
    texts = parts[name].split(",")
    numbers = tuple(int(each) for each in texts if _WHOLE.fullmatch(each))
    single = name in {"INTERVAL", "COUNT"}
    if len(numbers) != len(texts) or (single and len(numbers) > 1):
        raise Invalid((f"rrule.{name}", "must be whole numbers"))
    if any(number == 0 or not least <= number <= most for number in numbers):
        raise Invalid((f"rrule.{name}", "is out of range"))
    return numbers


def _days(parts: dict[str, str], *, numbered: bool) -> tuple[tuple[int, int], ...]:
    found = []
    for text in parts["BYDAY"].split(",") if "BYDAY" in parts else ():
        match = _BYDAY.fullmatch(text)
        if match is None:
            raise Invalid(("rrule", "BYDAY names days as MO, TU, WE, TH, FR, SA, SU"))
        if match["nth"] and not numbered:
            raise Invalid(("rrule", "BYDAY takes numbers only with MONTHLY"))
        found.append((int(match["nth"] or 0), _DAYS.index(match["day"])))
    if len({nth == 0 for nth, _ in found}) > 1:
        raise Invalid(("rrule", "BYDAY mixes days with and without a number"))
    return tuple(found)


def _until(text: str, zone: ZoneInfo | None) -> date:
    if not _UNTIL.fullmatch(text):
        raise Invalid(("rrule", "UNTIL must be a date as 20270531"))
    try:
        if text.endswith("Z") and zone is not None:
            moment = datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
            return moment.astimezone(zone).date()
        return date(int(text[:4]), int(text[4:6]), int(text[6:8]))
    except (ValueError, OverflowError):
        raise Invalid(("rrule", "UNTIL must be a date as 20270531")) from None


def _week_start(text: str) -> int:
    if text not in _DAYS:
        raise Invalid(("rrule", "WKST must be a day as MO"))
    return _DAYS.index(text)


def _steps(rule: Recurrence, first: date, day: date) -> int:
    match rule.freq:
        case Freq.DAILY:
            return (day - first).days
        case Freq.WEEKLY:
            return (_week(rule, day) - _week(rule, first)).days // 7
        case Freq.MONTHLY:
            return (day.year - first.year) * 12 + day.month - first.month
        case Freq.YEARLY:
            return day.year - first.year


def _week(rule: Recurrence, day: date) -> date:
    return day - timedelta(days=(day.weekday() - rule.week_start) % 7)


def _in_pattern(rule: Recurrence, first: date, day: date) -> bool:
    last = calendar.monthrange(day.year, day.month)[1]
    if rule.month_days and day.day not in rule.month_days and day.day - last - 1 not in rule.month_days:
        return False
    if rule.days:
        nth, nth_last = (day.day - 1) // 7 + 1, -((last - day.day) // 7 + 1)
        return any(weekday == day.weekday() and n in (0, nth, nth_last) for n, weekday in rule.days)
    if rule.month_days or rule.freq is Freq.DAILY:
        return True
    if rule.freq is Freq.WEEKLY:
        return day.weekday() == first.weekday()
    if day.day != first.day:
        return False
    return rule.freq is Freq.MONTHLY or bool(rule.months) or day.month == first.month
