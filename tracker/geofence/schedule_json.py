"""Schedules as the API and the forms write them."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any, TypeVar

from tracker.domain.errors import Invalid
from tracker.domain.schedule import Recurring, Rota, Schedule, Span, Term, Weekly, check
from tracker.domain.time_zones import zone_names
from tracker.store.schedules import to_json

__all__ = ["read", "to_json"]

_PARTS = ("weekly", "recurring", "terms", "rota", "holidays", "time_zone")
_ENTRIES_MOST = 400

Value = TypeVar("Value")


def read(document: Any, today: date, *, at: str = "schedule") -> Schedule | None:
    """Return the schedule of a document as `to_json` writes it; None, or one that says nothing, is none.

    Raises:
        Invalid: (`at`... and why) a field is unknown, missing, wrong, or the schedule is never in force.
    """
    if document is None:
        return None
    try:
        schedule = _schedule(_object(document, at, _PARTS), at)
        if schedule == Schedule(time_zone=schedule.time_zone):
            return None
        _check(schedule, today, at)
    except (OverflowError, RecursionError):
        raise Invalid((at, "has the wrong form")) from None
    return schedule


def _check(schedule: Schedule, today: date, at: str) -> None:
    try:
        check(schedule, zone_names(), today)
    except Invalid as error:
        raise Invalid(
            *((at + field.removeprefix("schedule"), reason) for field, reason in error.errors)
        ) from None


def _schedule(given: Mapping[str, Any], at: str) -> Schedule:
    zone = given.get("time_zone")
    if zone is not None and not isinstance(zone, str):
        raise Invalid((f"{at}.time_zone", "must be text"))
    rota = given.get("rota")
    return Schedule(
        weekly=_each(given.get("weekly"), f"{at}.weekly", _weekly),
        recurring=_each(given.get("recurring"), f"{at}.recurring", _recurring),
        terms=_each(given.get("terms"), f"{at}.terms", _term),
        rota=None if rota is None else _rota(rota, f"{at}.rota"),
        holidays=_each(given.get("holidays"), f"{at}.holidays", _day),
        time_zone=zone,
    )


def _weekly(given: Any, at: str) -> Weekly:
    found = _object(given, at, ("days", "spans"))
    return Weekly(
        days=frozenset(_each(found.get("days"), f"{at}.days", _weekday)),
        spans=_each(found.get("spans"), f"{at}.spans", _span),
    )


def _weekday(given: Any, at: str) -> int:
    if isinstance(given, bool) or not isinstance(given, int) or not 0 <= given <= 6:
        raise Invalid((at, "must be a day from 0 (Monday) to 6 (Sunday)"))
    return given


def _span(given: Any, at: str) -> Span:
    found = _object(given, at, ("start", "end"))
    return Span(start=_time(found.get("start"), f"{at}.start"), end=_time(found.get("end"), f"{at}.end"))


def _recurring(given: Any, at: str) -> Recurring:
    found = _object(given, at, ("rrule", "first", "lasts_s"))
    lasts_s = _required(found.get("lasts_s"), f"{at}.lasts_s")
    if isinstance(lasts_s, bool) or not isinstance(lasts_s, int) or lasts_s <= 0:
        raise Invalid((f"{at}.lasts_s", "must be a whole number of seconds"))
    return Recurring(
        rrule=_text(found.get("rrule"), f"{at}.rrule"),
        first=_local_moment(found.get("first"), f"{at}.first"),
        lasts=timedelta(seconds=lasts_s),
    )


def _term(given: Any, at: str) -> Term:
    found = _object(given, at, ("first", "last", "holidays"))
    return Term(
        first=_day(found.get("first"), f"{at}.first"),
        last=_day(found.get("last"), f"{at}.last"),
        holidays=_each(found.get("holidays"), f"{at}.holidays", _days),
    )


def _days(given: Any, at: str) -> tuple[date, date]:
    if not isinstance(given, Sequence) or isinstance(given, str) or len(given) != 2:
        raise Invalid((at, "must be two days, the first and the last"))
    return _day(given[0], f"{at}.0"), _day(given[1], f"{at}.1")


def _rota(given: Any, at: str) -> Rota:
    found = _object(given, at, ("first", "weeks"))
    return Rota(
        first=_day(found.get("first"), f"{at}.first"), weeks=_each(found.get("weeks"), f"{at}.weeks", _flag)
    )


def _flag(given: Any, at: str) -> bool:
    if not isinstance(given, bool):
        raise Invalid((at, "must be true or false"))
    return given


def _day(given: Any, at: str) -> date:
    text = _text(given, at)
    try:
        # The basic form and weeks are ISO 8601 too, but nothing that we write.
        if len(text) == 10 and text[4] == "-":
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise Invalid((at, "must be a day as 2026-09-01"))


def _time(given: Any, at: str) -> time:
    text = _text(given, at)
    try:
        if text[2:3] == ":" and (found := time.fromisoformat(text)).tzinfo is None:
            return found
    except ValueError:
        pass
    raise Invalid((at, "must be a time as 08:30"))


def _local_moment(given: Any, at: str) -> datetime:
    text = _text(given, at)
    try:
        if text[10:11] == "T" and (found := datetime.fromisoformat(text)).tzinfo is None:
            return found
    except ValueError:
        pass
    raise Invalid((at, "must be a local moment as 2026-09-01T08:30"))


def _object(given: Any, at: str, known: Sequence[str]) -> Mapping[str, Any]:
    if not isinstance(given, Mapping):
        raise Invalid((at, "must be a JSON object"))
    unknown = [str(name)[:40] for name in given if name not in known]
    if unknown:
        raise Invalid(*((f"{at}.{name}", "there is no such field") for name in unknown))
    return given


def _each(given: Any, at: str, one: Callable[[Any, str], Value]) -> tuple[Value, ...]:
    if given is None:
        return ()
    if not isinstance(given, Sequence) or isinstance(given, str | bytes):
        raise Invalid((at, "must be a list"))
    if len(given) > _ENTRIES_MOST:
        raise Invalid((at, "has too many entries"))
    return tuple(one(each, f"{at}.{number}") for number, each in enumerate(given))


def _text(given: Any, at: str) -> str:
    found = _required(given, at)
    if not isinstance(found, str):
        raise Invalid((at, "must be text"))
    return found


def _required(given: Any, at: str) -> Any:
    if given is None:
        raise Invalid((at, "this field is required"))
    return given
