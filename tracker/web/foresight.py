"""What a rule would have told: tried on stored history, and shown."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from tracker.domain.event import Event, Explanation, News
from tracker.domain.rule import Urgency
from tracker.geofence.preview import Foreseen, Preview
from tracker.web import i18n, telling, zones
from tracker.web.api import _alerts
from tracker.web.context import application, here
from tracker.web.geojson import rfc3339

SHOWN = 200


def run(body: Mapping[str, Any], *, since: datetime, until: datetime) -> Preview:
    """Return what the rule of a body would have raised; the computation runs beside the other requests.

    Raises:
        Invalid: a field of the body is wrong, or the time is too long.
    """
    context = here()

    def apart(work: Callable[[], Preview]) -> Preview:
        return application().apart(work)

    return context.services.rules.preview(
        context.access, body, since, until, apart, now=context.now, zone=zones.told_name()
    )


def event_of(seen: Foreseen, account_id: str, place: str | None) -> Event:
    """Return a foreseen event as if it had been; it is stored nowhere and has no id of its own."""
    raised, crossing = seen.raised, seen.crossing
    at = datetime.fromtimestamp(raised.at_s, UTC)
    gap_s = (crossing.at - crossing.earliest).total_seconds() if crossing else None
    return Event(
        account_id=account_id,
        event_id="0" * 16,
        rule_id=None,
        rule_version=None,
        subject_id=seen.subject_id,
        device_id=crossing.device_id if crossing else None,
        geofence_id=crossing.geofence_id if crossing else None,
        type=raised.type,
        urgency=Urgency.NORMAL,
        at=at,
        decided_at=datetime.fromtimestamp(raised.decided_at_s, UTC),
        recorded_at=at,
        slot=raised.slot,
        data=raised.data,
        explanation=Explanation(
            evidence=raised.why or (crossing.evidence if crossing else ()),
            rule={},
            fence={"properties": {"name": place}} if place else None,
            how=crossing.how if crossing else None,
            thresholds={},
            earliest=crossing.earliest if crossing else None,
            gap_s=gap_s if crossing and crossing.after_gap else None,
            suppressed=raised.suppressed,
            delays={"decided_s": raised.decided_at_s - raised.at_s},
        ),
        news=News.TOLD if seen.tells else News.ASLEEP,
    )


def document(
    found: Preview, *, since: datetime, until: datetime, place: str | None, zone: str | None = None
) -> dict[str, Any]:
    """Return a preview as PreviewOut, its first 200 events in full."""
    return {
        "count": len(found.events),
        "by_type": dict(found.by_type),
        "would_tell": found.would_tell,
        "items": [_item(event, text) for event, text in told(found, place, zone)],
        "days": round((until - since).total_seconds() / 86_400, 2),
        "positions": found.positions,
        "peer_point_test": found.peer_point_test,
    }


def told(found: Preview, place: str | None, zone: str | None = None) -> list[tuple[Event, str]]:
    """Return the first 200 events of a preview with their texts; `zone` is the place's, else the reader's."""
    context = here()
    known = telling.names(context.access)
    zone = zone or zones.zone()[1]
    events = [event_of(each, context.viewer.account_id, place) for each in found.events[:SHOWN]]
    return [
        (each, telling.sentence(each, known, locale=i18n.locale(), zone=zone, now=context.now))
        for each in events
    ]


def _item(event: Event, text: str) -> dict[str, Any]:
    explanation = _alerts.explanation(event.explanation)
    return {
        "type": event.type,
        "at": rfc3339(event.at),
        "subject_id": event.subject_id,
        "data": dict(event.data),
        "text": text,
        "explanation": {
            name: explanation[name]
            for name in ("evidence", "facts", "how", "earliest", "gap_s", "suppressed", "delays")
        },
    }
