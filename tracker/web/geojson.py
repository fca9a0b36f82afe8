"""Positions as GeoJSON (RFC 7946: longitude before latitude), moments as RFC 3339."""

from datetime import UTC, datetime
from typing import Any

from tracker.domain.position import Placed, freshness


def rfc3339(moment: datetime) -> str:
    """Return a moment in UTC with `Z`, fractions of a second only if it has them."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


def feature(placed: Placed, now: datetime) -> dict[str, Any]:
    """Return the Feature of a position; what is unknown is null."""
    position = placed.position
    return {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": [position.at.lon, position.at.lat]},
        "properties": {
            "subject_id": placed.subject_id,
            "device_id": placed.device_id,
            "recorded_at": rfc3339(position.recorded_at),
            "received_at": rfc3339(placed.received_at),
            "freshness": freshness(position.recorded_at, now).value,
            "accuracy_m": _short(position.accuracy_m),
            "altitude_m": _short(position.altitude_m),
            "speed_mps": _short(position.speed_mps),
            "course_deg": _short(position.course_deg),
            "battery_pct": _short(position.battery_pct),
            "charging": position.charging,
            "ignition": position.ignition,
            "trigger": position.trigger,
            "satellites": position.satellites,
            "hdop": _short(position.hdop),
            "odometer_m": position.odometer_m,
        },
    }


def _short(number: float | None) -> float | None:
    """Return a 32-bit number without the noise of its conversion to 64 bits."""
    return None if number is None else float(f"{number:.7g}")
