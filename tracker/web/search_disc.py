"""How far somebody who is searched for can have got: the disc of a chase. Pure."""

from datetime import datetime
from typing import Any

from tracker.domain.position import Placed
from tracker.store.chases import Chase
from tracker.watch.chase import TROT_MPS, disc_radius_m
from tracker.web.geojson import rfc3339


def chase(value: Chase, last: Placed | None, now: datetime) -> dict[str, Any]:
    """Return a chase as ChaseOut; `last` is the newest position of its device."""
    fix = last.position if last else None
    is_running = value.ended_at is None and now < value.ends_at
    disc = fix and {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": [fix.at.lon, fix.at.lat]},
        "properties": {
            "radius_m": round(disc_radius_m(fix.accuracy_m, (now - fix.recorded_at).total_seconds()), 1),
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
        "speed_mps": TROT_MPS,
    }
