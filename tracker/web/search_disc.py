"""How far somebody who is searched for can have got: the disc of a chase. Pure."""

from datetime import datetime
from types import MappingProxyType
from typing import Any

from tracker.domain.position import Placed
from tracker.domain.subject import SubjectKind
from tracker.store.chases import Chase
from tracker.web.geojson import rfc3339

FASTEST_MPS = MappingProxyType(
    {
        SubjectKind.PET: 13.0,
        SubjectKind.CHILD: 5.0,
        SubjectKind.RELATIVE: 5.0,
        SubjectKind.PHONE: 15.0,
        SubjectKind.VEHICLE: 40.0,
    }
)
"""Metres a second that each kind runs at most; a pet's is a cat's over short distances."""
UNSAID_ACCURACY_M = 25.0
RADIUS_MOST_M = 5_000.0
"""A larger disc helps nobody who searches on foot."""


def radius_m(accuracy_m: float | None, silent_s: float, kind: SubjectKind) -> float:
    """Return the radius of the disc `silent_s` seconds after the last position, at most 5 km."""
    known_m = UNSAID_ACCURACY_M if accuracy_m is None else accuracy_m
    return min(known_m + FASTEST_MPS[kind] * max(0.0, silent_s), RADIUS_MOST_M)


def chase(value: Chase, last: Placed | None, kind: SubjectKind, now: datetime) -> dict[str, Any]:
    """Return a chase as ChaseOut; `last` is the newest position of its device."""
    fix = last.position if last else None
    is_running = value.ended_at is None and now < value.ends_at
    disc = fix and {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": [fix.at.lon, fix.at.lat]},
        "properties": {
            "radius_m": round(radius_m(fix.accuracy_m, (now - fix.recorded_at).total_seconds(), kind), 1),
            "recorded_at": rfc3339(fix.recorded_at),
            "accuracy_m": fix.accuracy_m,
        },
    }
    return {
        "state": "running" if is_running else "ended",
        "device_id": value.device_id,
        "battery_pct": fix.battery_pct if fix else None,
        "battery_start_pct": value.battery_start_pct,
        "battery_least_pct": value.battery_least_pct,
        "started_at": rfc3339(value.started_at),
        "ends_at": rfc3339(value.ends_at),
        "ended_at": rfc3339(value.ended_at) if value.ended_at else None,
        "reason": value.reason,
        "disc": disc,
        "speed_mps": FASTEST_MPS[kind],
    }
