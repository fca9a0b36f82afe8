"""Says events in the reader's language: the same words as the messages."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from types import MappingProxyType
from typing import Any

from tracker import registry
from tracker.domain.event import Event
from tracker.notify import compose
from tracker.store.access import Access

BETWEEN_LEAST = timedelta(minutes=20)
"""Less uncertainty about the moment is not worth words; the messages hold it likewise."""

_MARKS = MappingProxyType(
    {
        "arrived": "places",
        "arrived_late": "places",
        "left": "next",
        "left_early": "clock",
        "not_arrived": "warning",
        "not_arrived_silent": "silent",
        "dwelt": "clock",
        "crossed": "next",
        "speeding": "speed",
        "escaped": "pet",
        "caught": "check",
        "moved_while_parked": "vehicle",
        "moved_without_owner": "vehicle",
        "long_stop": "clock",
        "ignition_on": "vehicle",
        "ignition_off": "vehicle",
        "harsh_braking": "speed",
        "harsh_acceleration": "speed",
        "maintenance_due": "vehicle",
        "battery_low": "battery",
        "silent": "silent",
        "heard_again": "live",
        "sos": "warning",
        "sim_changed": "phone",
        "travelling_along": "warning",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """What the things of an account are called, by id."""

    subjects: Mapping[str, str] = field(default_factory=dict)
    places: Mapping[str, str] = field(default_factory=dict)
    zones: Mapping[str, str] = field(default_factory=dict)


def names(access: Access) -> Names:
    """Read what the viewer's subjects and fences are called."""
    fences = access.places.geofences(limit=10_000)
    return Names(
        subjects={one.subject_id: one.name for one in access.subjects()},
        places={one.geofence_id: one.name for one in fences},
        zones={one.geofence_id: one.time_zone for one in fences},
    )


def mark(event_type: str) -> str:
    """Return the name of the icon of an event's type."""
    return _MARKS.get(event_type, "alerts")


def place_of(event: Event, known: Names) -> str | None:
    """Return what the event's fence was called when it happened, else what it is called now."""
    fence = event.explanation.fence or {}
    then = (fence.get("properties") or {}).get("name") or fence.get("name")
    return str(then) if then else known.places.get(event.geofence_id or "")


def zone_of(event: Event, known: Names, reader: str) -> str:
    """Return the zone in which an event's moments are said: its fence's, without one the reader's."""
    return known.zones.get(event.geofence_id or "", reader)


def sentence(event: Event, known: Names, *, locale: str, zone: str, now: datetime) -> str:
    """Return the event in one sentence; moments are in the fence's zone, without one in `zone`."""
    earliest = event.explanation.earliest
    vague = earliest is not None and event.at - earliest > BETWEEN_LEAST
    args = compose.event_args(
        event_type=event.type,
        subject=known.subjects.get(event.subject_id, ""),
        place=place_of(event, known),
        rule=event.explanation.rule.get("name"),
        at=event.at.isoformat(),
        earliest=earliest.isoformat() if earliest and vague else None,
        told_at=now.isoformat(),
        time_zone=zone_of(event, known, zone),
        data=event.data,
        link="",
        step=0,
    )
    return compose.event_text(args, locale).body


def type_title(event_type: str, locale: str) -> str:
    """Return what a type of events is called; its own name if it has no words."""
    words = _words().get(event_type, {})
    text = words.get(locale) or words.get("en")
    return text.title if text else event_type.replace("_", " ")


def type_titles(types: Iterable[str], locale: str) -> list[tuple[str, str]]:
    """Return (type, title) by title."""
    return sorted(((each, type_title(each, locale)) for each in types), key=lambda pair: pair[1])


@cache
def _words() -> Mapping[str, Mapping[str, Any]]:
    families = registry.load("tracker.notify.texts", "TEXTS").values()
    return MappingProxyType({kind: words for each in families for kind, words in each.words.items()})
