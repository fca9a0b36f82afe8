"""Schedules as JSON documents: as they are stored, and as the API writes them."""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

from tracker.domain.schedule import Recurring, Rota, Schedule, Span, Term, Weekly


def to_json(schedule: Schedule | None) -> dict[str, Any] | None:
    """Return the document of a schedule; what is empty is left out, of None there is none.

    Days of the week are 0 (Monday) to 6, times "HH:MM" or "HH:MM:SS", dates and local moments ISO 8601,
    `lasts_s` whole seconds, holidays of a term [first, last].
    """
    if schedule is None:
        return None
    document: dict[str, Any] = {
        "weekly": [
            {"days": sorted(each.days), "spans": [_span(span) for span in each.spans]}
            for each in schedule.weekly
        ],
        "recurring": [
            {
                "rrule": each.rrule,
                "first": each.first.isoformat(),
                "lasts_s": round(each.lasts.total_seconds()),
            }
            for each in schedule.recurring
        ],
        "terms": [_term(each) for each in schedule.terms],
        "rota": schedule.rota
        and {"first": schedule.rota.first.isoformat(), "weeks": list(schedule.rota.weeks)},
        "holidays": [each.isoformat() for each in schedule.holidays],
        "time_zone": schedule.time_zone,
    }
    return {name: each for name, each in document.items() if each}


def from_json(document: Mapping[str, Any] | None) -> Schedule | None:
    """Return the schedule that `to_json` wrote; what others wrote is read by `geofence.schedule_json`."""
    if document is None:
        return None
    rota = document.get("rota")
    return Schedule(
        weekly=tuple(
            Weekly(
                days=frozenset(each["days"]),
                spans=tuple(
                    Span(start=time.fromisoformat(span["start"]), end=time.fromisoformat(span["end"]))
                    for span in each["spans"]
                ),
            )
            for each in document.get("weekly", ())
        ),
        recurring=tuple(
            Recurring(
                rrule=each["rrule"],
                first=datetime.fromisoformat(each["first"]),
                lasts=timedelta(seconds=each["lasts_s"]),
            )
            for each in document.get("recurring", ())
        ),
        terms=tuple(
            Term(
                first=date.fromisoformat(each["first"]),
                last=date.fromisoformat(each["last"]),
                holidays=tuple(
                    (date.fromisoformat(first), date.fromisoformat(last))
                    for first, last in each.get("holidays", ())
                ),
            )
            for each in document.get("terms", ())
        ),
        rota=Rota(first=date.fromisoformat(rota["first"]), weeks=tuple(rota["weeks"])) if rota else None,
        holidays=tuple(date.fromisoformat(each) for each in document.get("holidays", ())),
        time_zone=document.get("time_zone"),
    )


def _span(span: Span) -> dict[str, str]:
    return {"start": _clock(span.start), "end": _clock(span.end)}


def _clock(at: time) -> str:
    return at.isoformat("minutes" if not (at.second or at.microsecond) else "auto")


def _term(term: Term) -> dict[str, Any]:
    document: dict[str, Any] = {"first": term.first.isoformat(), "last": term.last.isoformat()}
    if term.holidays:
        document["holidays"] = [[first.isoformat(), last.isoformat()] for first, last in term.holidays]
    return document
