"""Schedules in forms: the ordinary ones by fields, what the fields cannot show is kept as it is."""

import json
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from flask import request
from flask_babel import gettext as _

from tracker.domain.errors import Invalid
from tracker.web.pages._forms import text, ticked

ROWS = 3
_ROTAS: Mapping[str, list[bool]] = {"10": [True, False], "1100": [True, True, False, False]}


def _rotas() -> list[tuple[str, str]]:
    return [("", _("Every week")), ("10", _("Every other week")), ("1100", _("Two weeks yes, two weeks no"))]


def shown(document: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return what the fields of _schedule.html hold for a schedule's document; None: it always applies."""
    given = document or {}
    rows = [{"days": each["days"], **span} for each in given.get("weekly", ()) for span in each["spans"]]
    term = (given.get("terms") or [{}])[0]
    recurring = (given.get("recurring") or [{}])[0]
    rota = given.get("rota") or {}
    pattern = next((name for name, weeks in _ROTAS.items() if weeks == rota.get("weeks")), "")
    ranges = [f"{first}..{last}" if first != last else first for first, last in term.get("holidays", ())]
    fields = {
        "rows": (rows + [{"days": [], "start": "", "end": ""}] * ROWS)[:ROWS],
        "term_first": term.get("first", ""),
        "term_last": term.get("last", ""),
        "holidays": "\n".join([*given.get("holidays", ()), *ranges]),
        "rota": pattern,
        "rota_first": rota.get("first", "") if pattern else "",
        "rrule": recurring.get("rrule", ""),
        "rrule_first": recurring.get("first", "")[:16],
        "rrule_lasts_min": recurring["lasts_s"] // 60 if recurring else "",
    }
    return _with_frame(fields, given, kept="" if _same(_document(fields), given) else json.dumps(dict(given)))


def _with_frame(fields: dict[str, Any], given: Mapping[str, Any], *, kept: str) -> dict[str, Any]:
    more = any(fields[name] for name in ("term_first", "term_last", "holidays", "rota", "rrule"))
    return {**fields, "rotas": _rotas(), "given": bool(given), "has_more": more, "kept": kept}


def typed() -> dict[str, Any]:
    """Return what the fields of a form that was sent hold, to show them again."""
    fields = _fields()
    kept = request.form.get("schedule_kept", "")
    return _with_frame(fields, _document(fields) or {}, kept=kept)


def read() -> dict[str, Any] | None:
    """Return the document of the schedule that a form gives; None: it always applies.

    Raises:
        Invalid: of `schedule`: what was kept is no JSON, or holidays end before they begin.
    """
    if ticked("keep_schedule") and text("schedule_kept"):
        try:
            kept: dict[str, Any] = json.loads(text("schedule_kept"))
        except (ValueError, RecursionError):
            raise Invalid(("schedule", "has the wrong form")) from None
        return kept
    fields = _fields()
    if any(last < first for first, last in _days(fields["holidays"].split())[1]):
        raise Invalid(("schedule.holidays", "must not end before it begins"))
    return _document(fields)


def at_part(field: str, message: str) -> str:
    """Return a message about a schedule with the name that its part has in the form."""
    part = field.partition("schedule.")[2].split(".")[0]
    names = {
        "weekly": _("Days and hours"),
        "recurring": _("Repeats by a rule of a calendar (RRULE)"),
        "terms": _("Terms, holidays, two homes"),
        "rota": _("Which weeks"),
        "holidays": _("Not on these days"),
    }
    return f"{names[part]}: {message[:1].lower()}{message[1:]}" if part in names else message


def _fields() -> dict[str, Any]:
    rows = [
        {
            "days": [int(day) for day in request.form.getlist(f"week{n}_day") if day in set("0123456")],
            "start": text(f"week{n}_start"),
            "end": text(f"week{n}_end"),
        }
        for n in range(ROWS)
    ]
    names = ("term_first", "term_last", "holidays", "rota", "rota_first", "rrule", "rrule_first")
    return {"rows": rows, **{name: text(name) for name in names}, "rrule_lasts_min": text("rrule_lasts_min")}


def _document(fields: Mapping[str, Any]) -> dict[str, Any] | None:
    found: dict[str, Any] = {
        "weekly": [
            {
                "days": row["days"],
                "spans": [{"start": row["start"] or "00:00", "end": row["end"] or "00:00"}],
            }
            for row in fields["rows"]
            if row["days"]
        ]
    }
    days, ranges = _days(fields["holidays"].split())
    if fields["term_first"] or fields["term_last"]:
        term = {"first": fields["term_first"], "last": fields["term_last"]}
        found["terms"] = [{**term, "holidays": ranges}] if ranges else [term]
    elif ranges:
        days += [day for each in ranges for day in _each_day(*each)]
    found["holidays"] = days
    if fields["rota"] in _ROTAS:
        found["rota"] = {"first": fields["rota_first"], "weeks": _ROTAS[fields["rota"]]}
    if fields["rrule"]:
        lasts = str(fields["rrule_lasts_min"])
        found["recurring"] = [
            {
                "rrule": fields["rrule"],
                "first": fields["rrule_first"],
                "lasts_s": int(lasts) * 60 if len(lasts) < 9 and lasts.isdecimal() else 0,
            }
        ]
    return {name: value for name, value in found.items() if value} or None


def _days(words: Sequence[str]) -> tuple[list[str], list[list[str]]]:
    days = [word for word in words if ".." not in word]
    return days, [word.split("..", 1) for word in words if ".." in word]


def _each_day(first: str, last: str) -> list[str]:
    """Return every day of a range; one that cannot be read stays, for the check to name it."""
    try:
        begin, end = date.fromisoformat(first), date.fromisoformat(last)
    except ValueError:
        return [first, last]
    return [(begin + timedelta(days=n)).isoformat() for n in range(min((end - begin).days + 1, 400))]


def _same(one: Mapping[str, Any] | None, other: Mapping[str, Any]) -> bool:
    """Tell whether two documents say the same, seconds of local moments aside."""
    return _plain(one or {}) == _plain(other)


def _plain(document: Mapping[str, Any]) -> dict[str, Any]:
    found = {name: value for name, value in document.items() if value}
    weekly = [
        {"days": sorted(each["days"]), "spans": [span]}
        for each in found.get("weekly", ())
        for span in each["spans"]
    ]
    recurring = [{**each, "first": each["first"][:16]} for each in found.get("recurring", ())]
    return {
        **found,
        **({"weekly": weekly} if weekly else {}),
        **({"recurring": recurring} if recurring else {}),
    }
