"""Rules: the list, choosing a kind, the editor with a trial on the last month."""

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from apiflask import APIBlueprint
from flask import Response, request, url_for
from flask_babel import format_datetime
from flask_babel import gettext as _

from tracker.domain.errors import Invalid, NotFound
from tracker.domain.geofence import Geofence
from tracker.domain.ids import is_id
from tracker.domain.rule import Notify, Rule, RuleKind
from tracker.geofence.preview import Preview
from tracker.web import foresight, zones
from tracker.web.context import here
from tracker.web.geojson import rfc3339
from tracker.web.pages import _places, _schedules
from tracker.web.pages._forms import go, messages, page, text, ticked

BLUEPRINT = APIBlueprint("rules", __name__, enable_openapi=False)

TRIED_FOR = timedelta(days=30)


def _kinds() -> dict[str, RuleKind]:
    return {each.name: each for each in here().services.rules.kinds()}


@BLUEPRINT.get("/rules")
def index() -> Response:
    """Show every rule."""
    access = here().access
    kinds = _kinds()
    subjects = {one.subject_id: one.name for one in access.subjects()}
    places = {one.geofence_id: one.name for one in access.places.geofences()}
    rows = [
        {
            "rule_id": each.rule_id,
            "title": _places.rule_title(each, kinds),
            "text": _places.rule_text(each, kinds, subjects, places),
            "enabled": each.enabled,
        }
        for each in access.places.rules()
    ]
    return page("rules.html", rules=sorted(rows, key=lambda each: str(each["title"]).casefold()))


@BLUEPRINT.get("/rules/new")
def ask() -> Response:
    """Ask for a kind of rule, then for its settings."""
    return _ask(None)


@BLUEPRINT.get("/places/<id:geofence_id>/rules/new")
def ask_at(geofence_id: str) -> Response:
    """Ask for a rule at a place."""
    return _ask(here().access.places.geofence(geofence_id))


def _ask(place: Geofence | None) -> Response:
    kinds = _kinds()
    chosen = request.args.get("kind", "")
    if chosen in kinds:
        return _new_page(kinds[chosen], place)
    access = here().access
    have = {one.kind for one in access.subjects()}
    fitting = [each for each in kinds.values() if not each.fits or not have or each.fits & have]
    tiles = [
        {
            "kind": each.name,
            "title": str(_(each.title)),
            "text": _places.kind_text(each),
            "at": each.needs_fence,
        }
        for each in fitting
    ]
    return page(
        "rule_kinds.html",
        place=place and {"geofence_id": place.geofence_id, "name": place.name},
        kinds=[each for each in tiles if each["at"]],
        others=[each for each in tiles if not each["at"]],
        has_places=bool(access.places.geofences(limit=1)),
    )


def _new_page(kind: RuleKind, place: Geofence | None) -> Response:
    values = {
        "name": "",
        "geofence_id": place.geofence_id if place else "",
        **_places.field_values(kind, {}),
        **_notify_values(Notify(), kind),
    }
    chosen = {
        "subject_ids": (),
        "all_subjects": True,
        "contact_ids": (),
        "channels": (),
        "all_at_once": True,
        "enabled": True,
    }
    return _page(None, kind, place, values, chosen, {}, _schedules.shown(None))


@BLUEPRINT.post("/rules/new")
def add() -> Response:
    """Save a new rule, or try it."""
    context = here()
    kinds = _kinds()
    if text("kind") not in kinds:
        raise NotFound("kind")
    kind = kinds[text("kind")]
    if text("act") == "preview":
        return _trial_page(None, kind)
    try:
        rule = context.services.rules.add(
            context.session, context.viewer, _body(kind), now=context.now, zone=zones.told_name()
        )
    except Invalid as error:
        return _typed_page(None, kind, _errors(error), status=422)
    if rule.geofence_id:
        return go(url_for("places.show", geofence_id=rule.geofence_id, _anchor="rules"))
    return go(url_for("rules.index"))


@BLUEPRINT.get("/rules/<id:rule_id>")
def show(rule_id: str) -> Response:
    """Show one rule."""
    access = here().access
    rule = access.places.rule(rule_id)
    kind = _kinds()[rule.kind]
    place = access.places.geofence(rule.geofence_id) if rule.geofence_id else None
    values = {
        "name": rule.name,
        "geofence_id": rule.geofence_id or "",
        **_places.field_values(kind, rule.args),
        **_notify_values(rule.notify, kind),
    }
    chosen = {
        "subject_ids": rule.subject_ids,
        "all_subjects": rule.all_subjects,
        "contact_ids": rule.notify.contact_ids,
        "channels": rule.notify.channels,
        "all_at_once": rule.notify.all_at_once,
        "enabled": rule.enabled,
    }
    return _page(rule, kind, place, values, chosen, {}, _schedules.shown(_places.schedule_of(rule)))


@BLUEPRINT.post("/rules/<id:rule_id>")
def change(rule_id: str) -> Response:
    """Save a rule's changes, or try them."""
    context = here()
    rule = context.access.places.rule(rule_id)
    kind = _kinds()[rule.kind]
    if text("act") == "preview":
        return _trial_page(rule, kind)
    try:
        body = {name: value for name, value in _body(kind).items() if name != "kind"}
        context.services.rules.change(
            context.session, context.viewer, rule_id, body, now=context.now, zone=zones.told_name()
        )
    except Invalid as error:
        return _typed_page(rule, kind, _errors(error), status=422)
    return go(url_for("rules.show", rule_id=rule_id, saved="yes"))


@BLUEPRINT.post("/rules/<id:rule_id>/delete")
def remove(rule_id: str) -> Response:
    """Delete a rule."""
    context = here()
    context.services.rules.remove(context.session, context.viewer, rule_id, now=context.now)
    return go(url_for("rules.index"))


def _notify_values(notify: Notify, kind: RuleKind) -> dict[str, str]:
    urgency = notify.urgency if notify.urgency is not None else kind.urgency
    return {
        "urgency": urgency.name.lower(),
        "escalate_after_min": str(round(notify.escalate_after_s / 60)) if notify.escalate_after_s else "",
        "throttle_min": str(round(notify.throttle_s / 60)),
    }


def _seconds(name: str) -> Any:
    given = text(name).replace(",", ".")
    try:
        return round(float(given) * 60)
    except (ValueError, OverflowError):
        return given


def _body(kind: RuleKind) -> dict[str, Any]:
    """Return the rule that the form gives; what is wrong with it is for the service to say."""
    args, _typed = _places.typed_args(kind)
    notify: dict[str, Any] = {
        "contact_ids": request.form.getlist("contact_ids"),
        "channels": request.form.getlist("channels"),
        "urgency": text("urgency") or None,
        "all_at_once": text("all_at_once") != "false",
        "escalate_after_s": _seconds("escalate_after_min") if text("escalate_after_min") else None,
        "throttle_s": _seconds("throttle_min") if text("throttle_min") else 0,
    }
    everybody = ticked("all_subjects")
    return {
        "kind": kind.name,
        "name": text("name"),
        "geofence_id": text("geofence_id") or None,
        "all_subjects": everybody,
        **({} if everybody else {"subject_ids": request.form.getlist("subject_ids")}),
        "args": args,
        "schedule": _schedules.read(),
        "notify": notify,
        "enabled": ticked("enabled"),
    }


def _errors(error: Invalid) -> dict[str, str]:
    """Return what is wrong by the form's own fields."""
    found: dict[str, str] = {}
    for field, message in messages(error).items():
        parts = field.split(".")
        name = field if parts[0] in {"args", "notify"} else parts[0]
        name = ".".join(name.split(".")[:2])
        name = {"all_subjects": "subject_ids", "notify.urgency": "urgency"}.get(name, name)
        found.setdefault(name, _schedules.at_part(field, message))
    return found


def _trial_page(rule: Rule | None, kind: RuleKind) -> Response:
    """Return the form as it was typed, with what the rule would have done in the last month."""
    context = here()
    since = context.now - TRIED_FOR
    try:
        found = foresight.run(_body(kind), since=since, until=context.now)
    except Invalid as error:
        return _typed_page(rule, kind, _errors(error), status=422)
    return _typed_page(rule, kind, {}, preview=_preview(found))


def _preview(found: Preview) -> dict[str, Any]:
    access = here().access
    place_id = text("geofence_id")
    place = access.places.geofence(place_id) if is_id(place_id) else None
    said = foresight.told(found, place.name, place.time_zone) if place else foresight.told(found, None)
    told = [(event, text_) for event, text_ in said if event.news == "told"]
    at = ZoneInfo(place.time_zone) if place else zones.zone()[0]
    return {
        "days": TRIED_FOR.days,
        "would_tell": found.would_tell,
        "peer": found.peer_point_test,
        "positions": found.positions,
        "more": max(0, found.would_tell - len(told)),
        "told": [
            {
                "text": text_,
                "iso": rfc3339(event.at),
                "when": format_datetime(event.at.astimezone(at), "EEE d MMM, HH:mm", rebase=False),
                "why": _places.reason(event),
            }
            for event, text_ in reversed(told)
        ],
    }


def _typed_page(
    rule: Rule | None,
    kind: RuleKind,
    errors: dict[str, str],
    *,
    preview: dict[str, Any] | None = None,
    status: int = 200,
) -> Response:
    _args, typed = _places.typed_args(kind)
    names = ("name", "geofence_id", "urgency", "escalate_after_min", "throttle_min")
    values = {**{name: text(name) for name in names}, **typed}
    chosen = {
        "subject_ids": request.form.getlist("subject_ids"),
        "all_subjects": ticked("all_subjects"),
        "contact_ids": request.form.getlist("contact_ids"),
        "channels": request.form.getlist("channels"),
        "all_at_once": text("all_at_once") != "false",
        "enabled": ticked("enabled"),
    }
    place_id = text("geofence_id")
    try:
        place = here().access.places.geofence(place_id) if is_id(place_id) else None
    except NotFound:
        place = None
    return _page(
        rule, kind, place, values, chosen, errors, _schedules.typed(), preview=preview, status=status
    )


def _page(
    rule: Rule | None,
    kind: RuleKind,
    place: Geofence | None,
    values: dict[str, str],
    chosen: dict[str, Any],
    errors: dict[str, str],
    schedule: dict[str, Any],
    *,
    preview: dict[str, Any] | None = None,
    status: int = 200,
) -> Response:
    context = here()
    access = context.access
    everybody = access.subjects()
    asks_place = kind.needs_fence or kind.name in {"silence", "speed", "long_stop"}
    places = sorted(
        ((one.geofence_id, one.name) for one in access.places.geofences()), key=lambda one: one[1].casefold()
    )
    return page(
        "rule.html",
        status,
        rule={
            "rule_id": rule.rule_id if rule else "",
            "kind": kind.name,
            "title": _places.rule_title(rule, {kind.name: kind}) if rule else str(_(kind.title)),
            "text": _places.kind_text(kind),
            "needs_fence": kind.needs_fence,
        },
        place=place and {"geofence_id": place.geofence_id, "name": place.name},
        places=places if asks_place or place else [],
        fields=_places.shown_fields(kind, [(one.subject_id, one.name) for one in everybody]),
        values=values,
        chosen=chosen,
        errors=errors,
        subjects=[
            {"subject_id": one.subject_id, "name": one.name}
            for one in everybody
            if not kind.fits or one.kind in kind.fits
        ],
        contacts=[
            {
                "contact_id": one.contact_id,
                "name": str(_("You")) if one.contact_id == one.account_id else one.name,
                "detail": one.phone or one.email or "",
                "confirmed": one.confirmed_at is not None,
            }
            for one in access.alerts.contacts(context.now)
        ],
        channels=list(_places.channel_titles().items()),
        urgencies=_places.urgencies(),
        schedule=schedule,
        preview=preview,
        saved=request.args.get("saved") == "yes" and not errors and not preview,
    )
