"""Alerts: the feed, why each was told, acknowledging, muting."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from apiflask import APIBlueprint
from flask import Response, request, url_for
from flask_babel import format_date
from flask_babel import gettext as _

from tracker.domain.crossing import Evidence
from tracker.domain.errors import Invalid, NotFound
from tracker.domain.event import Event, News
from tracker.domain.ids import is_id
from tracker.domain.notification import Alert, AlertState, Mute
from tracker.notify import policy
from tracker.store.access import Access
from tracker.store.access_alerts import ToldEvent
from tracker.web import i18n, telling, zones
from tracker.web.api._keyset import cut, moment_and_id_of, moment_cursor
from tracker.web.context import here
from tracker.web.geojson import rfc3339
from tracker.web.pages import _places, _reasons
from tracker.web.pages._forms import go, page, text
from tracker.web.telling import Names
from tracker.web.why_map import why_map

BLUEPRINT = APIBlueprint("alerts", __name__, enable_openapi=False)

SHOWN = 50
LOOKED_THROUGH = 400
LOOKS_MOST = 20
"""How often so many events are read to fill a page of those that were told: the others are passed over."""
MUTE_FOR = {
    "1h": timedelta(hours=1),
    "8h": timedelta(hours=8),
    "1d": timedelta(days=1),
    "7d": timedelta(days=7),
}


@BLUEPRINT.get("/alerts")
def index() -> Response:
    """Show what was told, newest first."""
    context = here()
    access = context.access
    values = {name: request.args.get(name, "") for name in ("state", "subject_id", "type")}
    if not values["type"].isidentifier():
        values["type"] = ""
    subject_id = values["subject_id"] if is_id(values["subject_id"]) else None
    known = telling.names(access)
    found, after = _found(access, values, subject_id)
    rules = access.places.rules()
    kinds = {each.name: each for each in context.services.rules.kinds()}
    types = {type_ for each in rules if each.kind in kinds for type_ in kinds[each.kind].types}
    types |= {each.event.type for each in found} | ({values["type"]} if values["type"] else set())
    more = {name: value for name, value in values.items() if value}
    return page(
        "alerts.html",
        days=_by_day([_row(each, known) for each in found]),
        subjects=sorted(known.subjects.items(), key=lambda pair: pair[1].casefold()),
        types=telling.type_titles(types, i18n.locale()),
        values=values,
        next=f"/alerts?{urlencode({**more, 'after': after})}" if after else None,
        mutes=[_mute(each, known, kinds) for each in access.alerts.mutes(context.now)],
        has_rules=bool(rules),
        filtered=bool(more) or request.args.get("after") is not None,
    )


def _found(
    access: Access, values: dict[str, str], subject_id: str | None
) -> tuple[Sequence[ToldEvent], str | None]:
    """Return a page of events that fit, and the cursor of the next one."""
    try:
        after = moment_and_id_of(request.args.get("after"))
    except Invalid:
        after = None
    fitting: list[ToldEvent] = []
    for _look in range(LOOKS_MOST):
        found = access.alerts.events(
            types=(values["type"],) if values["type"] else (),
            subject_id=subject_id,
            superseded=values["state"] == "everything",
            after=after,
            limit=LOOKED_THROUGH,
        )
        fitting += [each for each in found if _is_wanted(each, values["state"])]
        after = (found[-1].event.at, found[-1].event.event_id) if len(found) == LOOKED_THROUGH else None
        if after is None or len(fitting) > SHOWN:
            break
    wanted, behind = cut(fitting, SHOWN, lambda each: moment_cursor(each.event.at, each.event.event_id))
    return wanted, behind or (moment_cursor(*after) if after else None)


def _is_wanted(each: ToldEvent, state: str) -> bool:
    if state == "everything":
        return True
    if each.alert is None:
        return False
    return state != "open" or each.alert.state is AlertState.OPEN


def _by_day(rows: list[dict[str, Any]]) -> list[tuple[str, list[dict[str, Any]]]]:
    at = zones.zone()[0]
    today = here().now.astimezone(at).date()
    days: dict[date, list[dict[str, Any]]] = {}
    for row in rows:
        days.setdefault(row["at"].astimezone(at).date(), []).append(row)
    return [(_day_text(day, today), found) for day, found in days.items()]


def _day_text(day: date, today: date) -> str:
    if day == today:
        return str(_("Today"))
    if day == today - timedelta(days=1):
        return str(_("Yesterday"))
    said = str(format_date(day, "EEEE, d MMMM" if day.year == today.year else "d MMMM yyyy"))
    return said[:1].upper() + said[1:]


def _row(each: ToldEvent, known: Names) -> dict[str, Any]:
    event, alert = each.event, each.alert
    context = here()
    reader = zones.zone()[1]
    return {
        "alert_id": alert.alert_id if alert else "",
        "event_id": event.event_id,
        "type": event.type,
        "urgency": event.urgency.name.lower(),
        "mark": telling.mark(event.type),
        "text": telling.sentence(event, known, locale=i18n.locale(), zone=reader, now=context.now),
        "at": event.at,
        "clock_of": zones.told_apart(telling.zone_of(event, known, reader), event.at, i18n.locale()),
        "state": alert.state.value if alert else "untold",
        "state_text": _state_text(event, alert),
    }


def _state_text(event: Event, alert: Alert | None) -> str:
    if event.superseded_by:
        return str(_("corrected later"))
    if event.retracted_at:
        return str(_("was not so"))
    if alert:
        return {
            AlertState.OPEN: str(_("not seen yet")),
            AlertState.ACKNOWLEDGED: str(_("seen")),
            AlertState.RESOLVED: str(_("over")),
            AlertState.EXPIRED: str(_("past")),
        }[alert.state]
    return {
        News.TOLD: "",
        News.OLD: str(_("not told: it was long ago when it became known")),
        News.MUTED: str(_("not told: muted")),
        News.ASLEEP: str(_("not told: outside its hours")),
        News.SILENT: str(_("not told: nobody to tell")),
    }[event.news]


def _mute(mute: Mute, known: Names, kinds: Any) -> dict[str, Any]:
    parts = []
    if mute.rule_id:
        try:
            rule = here().access.places.rule(mute.rule_id)
            parts.append(_places.rule_title(rule, kinds))
        except NotFound:
            parts.append(str(_("a rule that is gone")))
    if mute.subject_id:
        parts.append(known.subjects.get(mute.subject_id, "?"))
    if mute.geofence_id:
        parts.append(known.places.get(mute.geofence_id, "?"))
    return {"mute_id": mute.mute_id, "text": " · ".join(parts), "until": mute.until}


def _told(identity: str) -> tuple[Event, Alert | None]:
    """Return an event with its alert, by the id of either."""
    access = here().access.alerts
    try:
        alert = access.alert(identity)
    except NotFound:
        told = access.event(identity)
        return told.event, told.alert
    return access.event(alert.event_id).event, alert


@BLUEPRINT.get("/alerts/<id:alert_id>")
def show(alert_id: str) -> Response:
    """Show why: in words, on the map, in numbers."""
    context = here()
    access = context.access
    event, alert = _told(alert_id)
    known = telling.names(access)
    kinds = {each.name: each for each in context.services.rules.kinds()}
    explanation = event.explanation
    row = _row(ToldEvent(event, alert, event.recorded_at), known)
    at = ZoneInfo(telling.zone_of(event, known, zones.zone()[1]))
    row["when"] = {"iso": rfc3339(event.at), "text": _reasons.moment_text(event.at, at)}
    why = explanation.rule
    kind = kinds.get(str(why.get("kind", "")))
    lines = [line for line in explanation.evidence if isinstance(line, Evidence)]
    deliveries = access.alerts.deliveries(alert.alert_id) if alert else []
    return page(
        "alert.html",
        one=row,
        alert=alert
        and {
            "alert_id": alert.alert_id,
            "state": alert.state.value,
            "escalate_at": (moment := policy.escalates_at(alert))
            and {"iso": rfc3339(moment), "text": moment.astimezone(at).strftime("%H:%M")},
        },
        story=_reasons.story(event, lines, at) if _reasons.is_crossing(kind) else [_reasons.ordinary()],
        at_edge=_reasons.is_crossing(kind),
        forgotten=not explanation.rule and not explanation.evidence,
        rule=kind
        and {
            "rule_id": _living_rule(event),
            "title": why.get("name") or str(_(kind.title)),
            "text": str(_(kind.title)) if why.get("name") else "",
        },
        map=why_map(
            explanation, nonce=context.nonce, locale=i18n.locale(), settings=context.services.settings
        ),
        evidence=[_reasons.line(line, at) for line in lines],
        suppressed=[_reasons.suppressed(each, at) for each in explanation.suppressed],
        deliveries=[_reasons.delivery(each, at) for each in deliveries],
        facts=_reasons.facts(event, at),
        mutable=_mutable(event, known),
        replaced_by=event.superseded_by or "",
        retracted=event.retracted_at is not None and not event.superseded_by,
    )


def _living_rule(event: Event) -> str:
    try:
        return here().access.places.rule(event.rule_id).rule_id if event.rule_id else ""
    except NotFound:
        return ""


def _mutable(event: Event, known: Names) -> list[tuple[str, str]]:
    found = []
    if event.rule_id and _living_rule(event):
        found.append(("rule", str(_("of this rule"))))
    if event.subject_id in known.subjects:
        found.append(("subject", str(_("about %(name)s", name=known.subjects[event.subject_id]))))
    if event.geofence_id and event.geofence_id in known.places:
        found.append(("geofence", str(_("at %(name)s", name=known.places[event.geofence_id]))))
    return found


@BLUEPRINT.post("/alerts/<id:alert_id>/acknowledge")
def acknowledge(alert_id: str) -> Response:
    """Note that it was seen."""
    context = here()
    context.services.alerts.acknowledge(context.session, context.viewer, alert_id, now=context.now)
    return go(url_for("alerts.show", alert_id=alert_id))


@BLUEPRINT.post("/mutes")
def mute() -> Response:
    """Mute what an event is of."""
    context = here()
    event_id = text("event_id")
    if not is_id(event_id):
        raise NotFound("event")
    event = context.access.alerts.event(event_id).event
    what, span = text("what"), MUTE_FOR.get(text("for"))
    named = {"rule": event.rule_id, "subject": event.subject_id, "geofence": event.geofence_id}
    if span is None or named.get(what) is None:
        raise NotFound("mute")
    context.services.alerts.mute(
        context.session,
        context.viewer,
        **{f"{what}_id": named[what]},
        until=context.now + span,
        now=context.now,
    )
    return go(url_for("alerts.index"))


@BLUEPRINT.post("/mutes/<id:mute_id>/delete")
def unmute(mute_id: str) -> Response:
    """Tell again."""
    context = here()
    context.services.alerts.unmute(context.session, context.viewer, mute_id)
    return go(url_for("alerts.index"))
