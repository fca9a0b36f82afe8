"""Events, alerts and whom they are told, as the API shows them."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from tracker.domain.crossing import Evidence
from tracker.domain.event import Event, Explanation
from tracker.domain.notification import Alert, Contact, Delivery, Mute
from tracker.notify import policy
from tracker.store import schedules
from tracker.store.access import Access
from tracker.web import i18n, telling, zones
from tracker.web.context import RequestContext
from tracker.web.geojson import rfc3339
from tracker.web.telling import Names

Writer = Callable[[Event, Alert | None], dict[str, Any]]
"""Writes an event with its alert as EventOut."""


def _moment(moment: datetime | None) -> str | None:
    return rfc3339(moment) if moment else None


def writer(access: Access, *, locale: str, zone: str, now: datetime) -> Writer:
    """Return what writes events of the viewer's account, the names of things read once."""
    known = telling.names(access)
    return lambda value, of: event(value, of, known, locale=locale, zone=zone, now=now)


def writer_here(context: RequestContext) -> Writer:
    """Return what writes events for the caller of this request."""
    return writer(context.access, locale=i18n.locale(), zone=zones.zone()[1], now=context.now)


def event(
    value: Event, alert_of: Alert | None, known: Names, *, locale: str, zone: str, now: datetime
) -> dict[str, Any]:
    """Return an event as EventOut."""
    return {
        "id": value.event_id,
        "type": value.type,
        "urgency": value.urgency.name.lower(),
        "at": rfc3339(value.at),
        "earliest": _moment(value.explanation.earliest),
        "decided_at": rfc3339(value.decided_at),
        "recorded_at": rfc3339(value.recorded_at),
        "subject_id": value.subject_id,
        "device_id": value.device_id,
        "geofence_id": value.geofence_id,
        "rule_id": value.rule_id,
        "rule_version": value.rule_version,
        "data": dict(value.data),
        "text": telling.sentence(value, known, locale=locale, zone=zone, now=now),
        "news": value.news.value,
        "superseded_by": value.superseded_by,
        "retracted_at": _moment(value.retracted_at),
        "alert": alert_of
        and {
            "id": alert_of.alert_id,
            "state": alert_of.state.value,
            "acknowledged_at": _moment(alert_of.acknowledged_at),
        },
    }


def evidence(lines: tuple[Any, ...]) -> dict[str, Any]:
    """Return the positions of an explanation as a FeatureCollection, in their order."""
    return {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "geometry": {"type": "Point", "coordinates": [line.lon, line.lat]},
                "properties": {
                    "at": rfc3339(datetime.fromtimestamp(line.at_s, UTC)),
                    "accuracy_m": line.accuracy_m,
                    "distance_m": round(line.distance_m, 1),
                    "probability": round(line.probability, 4),
                    "side": line.side.value,
                    "weak": line.weak,
                },
            }
            for line in lines
            if isinstance(line, Evidence)
        ],
    }


def explanation(value: Explanation) -> dict[str, Any]:
    """Return an explanation as ExplanationOut has it, without its event and page."""
    return {
        "evidence": evidence(value.evidence),
        "facts": [dict(each) for each in value.evidence if not isinstance(each, Evidence)],
        "rule": dict(value.rule),
        "fence": None if value.fence is None else dict(value.fence),
        "how": None if value.how is None else value.how.value,
        "thresholds": dict(value.thresholds),
        "earliest": _moment(value.earliest),
        "gap_s": value.gap_s,
        "suppressed": [dict(each) for each in value.suppressed],
        "delays": dict(value.delays),
    }


def alert(value: Alert, shown_event: dict[str, Any]) -> dict[str, Any]:
    """Return an alert as AlertOut."""
    return {
        "id": value.alert_id,
        "state": value.state.value,
        "urgency": value.urgency.name.lower(),
        "told_at": rfc3339(value.told_at),
        "step": value.step,
        "escalates_at": _moment(policy.escalates_at(value)),
        "acknowledged_at": _moment(value.acknowledged_at),
        "event": shown_event,
    }


def delivery(value: Delivery) -> dict[str, Any]:
    """Return a line of the ledger as DeliveryOut."""
    return {
        "id": value.delivery_id,
        "contact_id": value.contact_id,
        "channel": value.channel,
        "step": value.step,
        "state": value.state.value,
        "attempts": value.attempts,
        "created_at": rfc3339(value.created_at),
        "due_at": rfc3339(value.due_at),
        "sent_at": _moment(value.sent_at),
        "delivered_at": _moment(value.delivered_at),
        "detail": value.detail,
    }


def mute(value: Mute) -> dict[str, Any]:
    """Return a mute as MuteOut."""
    return {
        "id": value.mute_id,
        "rule_id": value.rule_id,
        "subject_id": value.subject_id,
        "geofence_id": value.geofence_id,
        "until": rfc3339(value.until),
        "created_at": rfc3339(value.created_at),
    }


def contact(value: Contact) -> dict[str, Any]:
    """Return a contact as ContactOut."""
    return {
        "id": value.contact_id,
        "name": value.name,
        "phone": value.phone,
        "email": value.email,
        "mqtt_device_id": value.mqtt_device_id,
        "locale": value.locale,
        "time_zone": value.time_zone,
        "channels": list(value.channels),
        "position": value.position,
        "quiet": schedules.to_json(value.quiet),
        "quiet_breaks_at": value.quiet_breaks_at.name.lower(),
        "per_hour_most": value.per_hour_most,
        "created_at": rfc3339(value.created_at),
        "confirmed_at": _moment(value.confirmed_at),
    }
