"""Fences and rules as the templates take them."""

from collections.abc import Mapping, Sequence
from typing import Any

from flask import request
from flask_babel import format_decimal
from flask_babel import gettext as _

from tracker.domain.event import Event
from tracker.domain.fields import Field, FieldKind
from tracker.domain.geofence import Circle, Corridor, Geofence, Polygon
from tracker.domain.rule import Rule, RuleKind
from tracker.store import schedules
from tracker.web.pages._forms import text
from tracker.web.pages.history import distance_text, duration_text

MARKS = {"home": "home", "school": "school", "yard": "yard"}
MPS_TO_KMH = 3.6


def templates() -> list[tuple[str, str, str]]:
    """Return (value, label, icon) of what a place can be."""
    return [
        ("home", _("Home"), "home"),
        ("school", _("School"), "school"),
        ("yard", _("Yard"), "yard"),
        ("", _("Other"), "places"),
    ]


def size_text(fence: Geofence) -> str:
    """Return a fence's shape and size in words."""
    if isinstance(fence.geometry, Circle):
        return str(_("circle, radius %(size)s", size=distance_text(fence.geometry.radius_m)))
    if isinstance(fence.geometry, Corridor):
        return str(_("route, %(size)s wide", size=distance_text(fence.geometry.width_m)))
    return str(_("area"))


def geometry_values(fence: Geofence) -> dict[str, str]:
    """Return what the fields of a place's shape hold."""
    geometry = fence.geometry
    if isinstance(geometry, Circle):
        return {
            "shape": "circle",
            "lat": f"{geometry.center.lat:.6f}",
            "lon": f"{geometry.center.lon:.6f}",
            "radius_m": f"{geometry.radius_m:g}",
        }
    if isinstance(geometry, Corridor):
        return {"shape": "corridor", "points": _lines(geometry.line), "width_m": f"{geometry.width_m:g}"}
    return {"shape": "polygon", "points": _lines(geometry.parts[0][0])}


def is_simple(fence: Geofence) -> bool:
    """Tell whether the fields of the form can hold the fence's whole shape."""
    geometry = fence.geometry
    return not isinstance(geometry, Polygon) or (len(geometry.parts) == 1 and len(geometry.parts[0]) == 1)


def _lines(places: Sequence[Any]) -> str:
    return "\n".join(f"{at.lat:.7f}, {at.lon:.7f}" for at in places)


def rule_title(rule: Rule, kinds: Mapping[str, RuleKind]) -> str:
    """Return what a rule is called: by its owner, else by its kind."""
    return rule.name or str(_(kinds[rule.kind].title))


def rule_text(
    rule: Rule, kinds: Mapping[str, RuleKind], subjects: Mapping[str, str], places: Mapping[str, str]
) -> str:
    """Return a rule in a line: what, about whom, where, and whether by a schedule."""
    parts = []
    if rule.name:
        parts.append(str(_(kinds[rule.kind].title)))
    if rule.geofence_id and places.get(rule.geofence_id):
        parts.append(places[rule.geofence_id])
    whom = [subjects[each] for each in rule.subject_ids if each in subjects]
    parts.append(str(_("everybody")) if rule.all_subjects else ", ".join(whom))
    parts += [told for each in kinds[rule.kind].fields if (told := arg_text(each, rule.args, subjects))]
    if rule.schedule:
        parts.append(str(_("by a schedule")))
    return " · ".join(part for part in parts if part)


def arg_text(field: Field, args: Mapping[str, Any], subjects: Mapping[str, str]) -> str:
    """Return a setting that differs from the usual one in words; "" if it does not."""
    value = args.get(field.name)
    if value is None or value == field.default or field.kind is FieldKind.FLAG:
        return ""
    label = str(_(field.label))
    if field.kind is FieldKind.DURATION:
        return f"{label.lower()} {duration_text(float(value))}"
    if field.kind is FieldKind.SUBJECT:
        return f"{label.lower()}: {subjects.get(str(value), '')}"
    if field.kind is FieldKind.CHOICE:
        return choice_text(str(value))
    if field.unit == "m/s":
        return f"{label.lower()} {_('%(speed)s km/h', speed=round(float(value) * MPS_TO_KMH))}"
    shown = format_decimal(value) if isinstance(value, int | float) else str(value)
    return f"{label.lower()} {shown} {_(field.unit) if field.unit else ''}".strip()


def choice_text(value: str) -> str:
    """Return a choice of a rule's setting in words."""
    return {
        "any": str(_("either way")),
        "in": str(_("inwards")),
        "out": str(_("outwards")),
        "through": str(_("right through")),
        "both": str(_("on and off")),
        "on": str(_("switched on")),
        "off": str(_("switched off")),
    }.get(value, value.replace("_", " "))


def kind_text(kind: RuleKind) -> str:
    """Return in a sentence what a kind of rule is for."""
    texts = {
        "arrived": _("Somebody has come to the place, be it for good or for a moment."),
        "left": _("Somebody has left the place."),
        "dwell": _("Somebody stays at the place longer than he should."),
        "not_arrived": _("By a time of day somebody is not there. A silent phone is told apart."),
        "left_early": _("Somebody leaves before a time of day."),
        "crossed": _("The edge is crossed, also on the way through."),
        "speed_in_place": _("A vehicle drives too fast within the place."),
        "escape": _("A pet has left: alarm, frequent positions and a search on the map."),
        "parked_moved": _("A parked car moves: it is towed or stolen."),
        "speed": _("A vehicle drives too fast, wherever it is."),
        "long_stop": _("Somebody has not moved on for long."),
        "moves_without_owner": _("A car moves and its owner's phone is elsewhere."),
        "ignition": _("The ignition is switched on or off."),
        "harsh_driving": _("Somebody brakes or accelerates hard."),
        "maintenance": _("So many kilometres have been driven since the last service."),
        "battery": _("The battery of a phone or tracker runs low."),
        "silence": _("Nothing has been heard of a device for long."),
        "sos": _("Somebody presses SOS. It breaks quiet hours and is never muted."),
        "sim_changed": _("Another SIM card is in the phone or tracker."),
        "travelling_along": _("A tracker that nobody knows moves along with somebody."),
    }
    return str(texts.get(kind.name, ""))


def urgencies() -> list[tuple[str, str]]:
    """Return (value, label) of the urgencies."""
    return [
        ("quiet", _("Quiet: without haste")),
        ("normal", _("Normal")),
        ("urgent", _("Urgent: also in quiet hours")),
        ("alarm", _("Alarm: at once and to everybody")),
    ]


def channel_titles() -> dict[str, str]:
    """Return the names of the ways to reach somebody."""
    return {
        "sms": str(_("SMS")),
        "email": str(_("E-mail")),
        "webpush": str(_("Message in the browser")),
        "mqtt": str(_("Message on the tracker")),
    }


def shown_fields(kind: RuleKind, subjects: Sequence[tuple[str, str]]) -> list[dict[str, Any]]:
    """Return the settings of a kind of rule as rule.html takes them."""
    return [_field(each, subjects) for each in kind.fields]


def _field(field: Field, subjects: Sequence[tuple[str, str]]) -> dict[str, Any]:
    factor, unit = _scale(field)
    choices: list[tuple[str, str]] = []
    if field.kind is FieldKind.CHOICE:
        choices = [(each, choice_text(each)) for each in field.choices]
    elif field.kind is FieldKind.SUBJECT:
        choices = list(subjects)
    is_number = field.kind in (FieldKind.NUMBER, FieldKind.WHOLE, FieldKind.DURATION)
    return {
        "name": field.name,
        "label": str(_(field.label)),
        "kind": field.kind.value,
        "type": "time" if field.kind is FieldKind.TIME else "number" if is_number else "text",
        "unit": unit,
        "least": _scaled(field.least, factor) if is_number else None,
        "most": _scaled(field.most, factor) if is_number else None,
        "step": "any" if is_number else "",
        "choices": choices,
        "empty": str(_("Choose")) if field.default is None and choices else "",
    }


def _scale(field: Field) -> tuple[float, str]:
    """Return by what a value is divided to be shown, and the unit that people use."""
    if field.unit == "m/s":
        return 1 / MPS_TO_KMH, str(_("km/h"))
    if field.kind is FieldKind.DURATION:
        if (field.default or 60) < 60 and field.default:
            return 1.0, str(_("s"))
        return 60.0, str(_("min"))
    return 1.0, str(_(field.unit)) if field.unit else ""


def _scaled(value: Any, factor: float) -> str | None:
    return None if value is None else f"{float(value) / factor:.6g}"


def field_values(kind: RuleKind, args: Mapping[str, Any]) -> dict[str, str]:
    """Return what the fields of a rule's settings hold, by `args.` and their names."""
    return {f"args.{each.name}": _value(each, args.get(each.name, each.default)) for each in kind.fields}


def _value(field: Field, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else ""
    if isinstance(value, int | float):
        return _scaled(value, _scale(field)[0]) or ""
    return str(value)


def typed_args(kind: RuleKind) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the settings that a form gives, as the API takes them, and what was typed."""
    args: dict[str, Any] = {}
    typed = {}
    for field in kind.fields:
        key = f"args.{field.name}"
        given = text(key)
        typed[key] = given
        if field.kind is FieldKind.FLAG:
            args[field.name] = request.form.get(key) == "true"
        elif given and field.kind in (FieldKind.NUMBER, FieldKind.WHOLE, FieldKind.DURATION):
            args[field.name] = _number(field, given)
        elif given:
            args[field.name] = given
    return args, typed


def _number(field: Field, given: str) -> Any:
    """Return a number in the API's unit; what is none stays text, for the check to name it."""
    try:
        value = float(given.replace(",", ".")) * _scale(field)[0]
        return round(value) if field.kind is FieldKind.WHOLE else round(value, 6)
    except (ValueError, OverflowError):
        return given


def schedule_of(fence_or_rule: Geofence | Rule | None) -> dict[str, Any] | None:
    """Return the document of the schedule of a fence or rule."""
    return schedules.to_json(fence_or_rule.schedule) if fence_or_rule else None


def reason(event: Event) -> str:
    """Return in a few words how sure an event of a preview is."""
    how = event.explanation.how
    count = len(event.explanation.evidence)
    if how is None or not count:
        return ""
    return str(_("told by %(count)s positions", count=count))
