"""Alerts: the feed, why each was told, acknowledging, muting; and the page that a link in a message opens."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from apiflask import APIBlueprint
from flask import Response, request, url_for
from flask_babel import format_date, format_datetime
from flask_babel import gettext as _

from tracker.domain.access import Viewer
from tracker.domain.account import SessionLevel
from tracker.domain.crossing import Evidence, How, Side
from tracker.domain.errors import Invalid, NotFound
from tracker.domain.event import Event, News
from tracker.domain.ids import is_id
from tracker.domain.notification import Alert, AlertState, Delivery, Mute
from tracker.domain.rule import InputKind, RuleKind
from tracker.notify import policy
from tracker.store.access import Access
from tracker.store.access_alerts import ToldEvent
from tracker.web import i18n, telling, zones
from tracker.web.api._keyset import cut, moment_and_id_of, moment_cursor
from tracker.web.context import here
from tracker.web.geojson import rfc3339
from tracker.web.guards import open_to_all
from tracker.web.pages import _places
from tracker.web.pages._forms import go, page, text
from tracker.web.pages.history import distance_text, duration_text
from tracker.web.telling import Names
from tracker.web.why_map import rough_map, why_map

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
GAP_LEAST_S = 1_200.0
"""Shorter silences are ordinary and not worth a sentence."""
ROUGH_DEGREES = 0.005
"""A link shows a place on a grid of about 500 m."""
ROUGH_M = 500.0


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
    row["when"] = {"iso": rfc3339(event.at), "text": _moment_text(event.at, at)}
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
        story=_story(event, lines, at) if _is_crossing(kind) else [_ordinary()],
        at_edge=_is_crossing(kind),
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
        evidence=[_line(line, at) for line in lines],
        suppressed=[_suppressed(each, at) for each in explanation.suppressed],
        deliveries=[_delivery(each, at) for each in deliveries],
        facts=_facts(event, at),
        mutable=_mutable(event, known),
        replaced_by=event.superseded_by or "",
        retracted=event.retracted_at is not None and not event.superseded_by,
    )


def _moment_text(moment: datetime, at: tzinfo) -> str:
    return str(format_datetime(moment.astimezone(at), "d MMM y, HH:mm", rebase=False))


def _living_rule(event: Event) -> str:
    try:
        return here().access.places.rule(event.rule_id).rule_id if event.rule_id else ""
    except NotFound:
        return ""


def _is_crossing(kind: RuleKind | None) -> bool:
    """Tell whether a rule waits for crossings: another has other reasons, even at the same moment."""
    return kind is None or InputKind.CROSSED in kind.inputs


def _ordinary() -> str:
    return str(_("What the device reported was what the rule waits for."))


def _story(event: Event, lines: list[Evidence], at: tzinfo) -> list[str]:
    """Return in sentences why the event is believed and how well its moment is known."""
    explanation = event.explanation
    told: list[str] = []
    count = len(lines)
    sure = sum(1 for line in lines if line.side is not Side.UNSURE)
    how = {
        How.CONFIRMED: _(
            "%(sure)s of %(count)s positions say it surely; one alone would not have been enough.",
            sure=sure,
            count=count,
        ),
        How.IN_STRIDE: _("One sure position says it, and the way before led there."),
        How.SETTLED: _("One good position says it, and nothing spoke against it for a while."),
        How.WORN: _("Only poor positions came for long, but all on the same side."),
        How.FIRST: _("The first position told where the device is."),
        How.REDRAWN: _("The place was drawn anew."),
    }
    if explanation.how is not None:
        told.append(str(how[explanation.how]))
    if explanation.earliest and explanation.earliest < event.at:
        apart_s = (event.at - explanation.earliest).total_seconds()
        told.append(
            str(
                _(
                    "At %(time)s the opposite was still sure: it happened within %(span)s of that.",
                    time=explanation.earliest.astimezone(at).strftime("%H:%M"),
                    span=duration_text(apart_s),
                )
            )
        )
    if explanation.gap_s and explanation.gap_s >= GAP_LEAST_S:
        told.append(
            str(_("In between nothing was reported for %(span)s.", span=duration_text(explanation.gap_s)))
        )
    decided_s = (event.decided_at - event.at).total_seconds()
    if decided_s >= 30:
        told.append(str(_("It was certain %(span)s later.", span=duration_text(decided_s))))
    if not told:
        told.append(_ordinary())
    return told


def _line(line: Evidence, at: tzinfo) -> dict[str, Any]:
    moment = datetime.fromtimestamp(line.at_s, UTC)
    verdicts = {Side.IN: _("inside"), Side.OUT: _("outside"), Side.UNSURE: _("unsure")}
    edge = distance_text(abs(line.distance_m))
    inside = str(_("%(distance)s inside", distance=edge))
    return {
        "iso": rfc3339(moment),
        "time": moment.astimezone(at).strftime("%H:%M:%S"),
        "accuracy": "–" if line.accuracy_m is None else f"±{distance_text(line.accuracy_m)}",
        "distance": inside if line.distance_m < 0 else str(_("%(distance)s outside", distance=edge)),
        "probability": f"{100 * line.probability:.0f} %",
        "verdict": str(verdicts[line.side]) + (f" ({_('weak')})" if line.weak else ""),
    }


def _suppressed(each: Any, at: tzinfo) -> str:
    moment = each.get("at")
    when = ""
    if isinstance(moment, str):
        when = _moment_text(datetime.fromisoformat(moment), at)
    elif isinstance(moment, int | float):
        when = _moment_text(datetime.fromtimestamp(moment, UTC), at)
    why = {
        "sibling": _("another device of the same subject told it already"),
        "still_inside": _("another device of the same subject was still there"),
        "held": _("another device of the same subject was still there"),
    }.get(str(each.get("why")), str(each.get("why", "")).replace("_", " "))
    return ": ".join(part for part in (when, str(why)) if part)


def _delivery(each: Delivery, at: tzinfo) -> dict[str, Any]:
    try:
        contact = here().access.alerts.contact(each.contact_id)
        who = str(_("You")) if contact.contact_id == contact.account_id else contact.name
    except NotFound:
        who = str(_("somebody who was removed"))
    states = {
        "waiting": _("waits"),
        "sent": _("sent"),
        "delivered": _("delivered"),
        "refused": _("could not be delivered"),
        "expired": _("not sent in time"),
        "grouped": _("told together with others"),
        "cancelled": _("withdrawn before it was sent"),
    }
    moment = each.delivered_at or each.sent_at
    return {
        "who": who,
        "channel": _places.channel_titles().get(each.channel, each.channel),
        "state": each.state.value,
        "state_text": str(states[each.state.value]),
        "iso": rfc3339(moment) if moment else "",
        "when": _moment_text(moment, at) if moment else "",
        "attempts": each.attempts,
    }


def _facts(event: Event, at: tzinfo) -> list[tuple[str, str]]:
    explanation = event.explanation
    facts = [
        (str(_("Happened")), _exact(event.at, at)),
        (str(_("Certain since")), _exact(event.decided_at, at)),
        (str(_("Noted")), _exact(event.recorded_at, at)),
    ]
    if explanation.earliest:
        facts.insert(0, (str(_("Not before")), _exact(explanation.earliest, at)))
    if event.rule_version:
        facts.append((str(_("Version of the rule")), str(event.rule_version)))
    version = ((explanation.fence or {}).get("properties") or {}).get("version")
    if version:
        facts.append((str(_("Version of the place")), str(version)))
    facts += [(name, f"{value:g}") for name, value in sorted(explanation.thresholds.items())]
    return facts


def _exact(moment: datetime, at: tzinfo) -> str:
    return str(format_datetime(moment.astimezone(at), "d MMM y, HH:mm:ss", rebase=False))


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


@BLUEPRINT.get("/a/<string:token>")
@open_to_all
def by_link(token: str) -> Response:
    """Show one alert to whoever holds its link."""
    context = here()
    try:
        one = context.services.alerts.by_link(context.session, token, now=context.now)
    except NotFound:
        return page("alert_open.html", 404, gone=True)
    access = Access(context.session, _reader(one.alert.account_id))
    event = access.alerts.event(one.alert.event_id).event
    contact = next(
        (each for each in access.alerts.contacts(context.now) if each.contact_id == one.delivery.contact_id),
        None,
    )
    if contact and request.args.get("lang") is None and contact.locale in i18n.LANGUAGES:
        context.locale = contact.locale
    zone = contact.time_zone if contact else zones.zone()[1]
    known = telling.names(access)
    said = telling.sentence(event, known, locale=i18n.locale(), zone=zone, now=context.now)
    said_in = telling.zone_of(event, known, zone)
    return page(
        "alert_open.html",
        gone=False,
        text=said,
        when=event.at,
        when_text=_moment_text(event.at, ZoneInfo(said_in)),
        clock_of=zones.city(said_in, i18n.locale()) if said_in != zone else "",
        urgency=event.urgency.name.lower(),
        state=one.alert.state.value,
        token=token,
        map=_rough(event),
    )


def _rough(event: Event) -> Any:
    """Return a map of about where it was; None if no position tells it."""
    context = here()
    lines = [line for line in event.explanation.evidence if isinstance(line, Evidence)]
    if not lines:
        return None
    lat, lon = (round(degrees / ROUGH_DEGREES) * ROUGH_DEGREES for degrees in (lines[-1].lat, lines[-1].lon))
    return rough_map(
        lat,
        lon,
        ROUGH_M,
        nonce=context.nonce,
        locale=i18n.locale(),
        settings=context.services.settings,
    )


def _reader(account_id: str) -> Viewer:
    """Return in whose name the one alert of a link is read."""
    return Viewer(account_id=account_id, session_id="0" * 16, level=SessionLevel.TOKEN, proved_at=here().now)


@BLUEPRINT.post("/a/<string:token>")
@open_to_all
def acknowledge_by_link(token: str) -> Response:
    """Note that the contact of a link takes care of it."""
    context = here()
    try:
        context.services.alerts.acknowledge_by_link(context.session, token, now=context.now)
    except NotFound:
        return page("alert_open.html", 404, gone=True)
    return go(url_for("alerts.by_link", token=token))
