"""Many positions as GeoJSON at once: the same members as `tracker.web.geojson.feature`, without its cost."""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

import msgspec

from tracker.domain.position import LIVE_FOR, STALE_FOR, Freshness
from tracker.store.access import PositionRow

_ENCODER = msgspec.json.Encoder()


def feature_collection(
    rows: Iterable[PositionRow],
    *,
    subject_id: str,
    outliers: Collection[tuple[str, float]],
    after: str | None,
    now: datetime,
) -> bytes:
    """Return the FeatureCollection of a page as JSON; `outliers` names (device id, epoch seconds)."""
    now_s = now.timestamp()
    live_from_s, stale_from_s = now_s - LIVE_FOR.total_seconds(), now_s - STALE_FOR.total_seconds()
    live, stale, silent = Freshness.LIVE.value, Freshness.STALE.value, Freshness.SILENT.value
    features: list[Any] = []
    for row in rows:
        moment = row.recorded_at
        features.append(
            {
                "type": "Feature",
                "geometry": {"type": "Point", "coordinates": (row.lon, row.lat)},
                "properties": {
                    "subject_id": subject_id,
                    "device_id": row.device_id,
                    "recorded_at": _rfc3339(row.recorded_text),
                    "received_at": _rfc3339(row.received_text),
                    "freshness": live
                    if moment >= live_from_s
                    else stale
                    if moment >= stale_from_s
                    else silent,
                    "accuracy_m": row.accuracy_m,
                    "altitude_m": row.altitude_m,
                    "speed_mps": row.speed_mps,
                    "course_deg": row.course_deg,
                    "battery_pct": row.battery_pct,
                    "charging": row.charging,
                    "ignition": row.ignition,
                    "trigger": row.trigger,
                    "satellites": row.satellites,
                    "hdop": row.hdop,
                    "odometer_m": row.odometer_m,
                    "outlier": (row.device_id, moment) in outliers,
                },
            }
        )
    return _ENCODER.encode({"type": "FeatureCollection", "features": features, "next": after})


def _rfc3339(text: str) -> str:
    """Return PostgreSQL's `2026-11-21 09:00:00.5+00` as `tracker.web.geojson.rfc3339` writes it."""
    if len(text) == 22:
        return f"{text[:10]}T{text[11:19]}Z"
    return f"{text[:10]}T{text[11:-3]:0<15}Z"
