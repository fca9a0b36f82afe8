"""Packs positions in the format of COPY BINARY (PostgreSQL manual, COPY, "Binary Format"). Pure.

By hand, because this is where ingest spends its time: it halves what a general row writer costs.
"""

import json
import struct
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from tracker.domain.position import Placed
from tracker.store.geo import to_ewkb
from tracker.store.schema import id_to_int

COLUMNS = (
    "account_id, device_id, recorded_at, received_at, geom, odometer_m, accuracy_m, altitude_m, speed_mps, "
    "course_deg, battery_pct, hdop, satellites, charging, ignition, motion, trigger, network, attrs"
)

_BEGIN = b"PGCOPY\n\xff\r\n\x00" + struct.pack("!ii", 0, 0)
_END = struct.pack("!h", -1)
_NULL = struct.pack("!i", -1)
_TRUE = struct.pack("!i?", 1, True)
_FALSE = struct.pack("!i?", 1, False)
_BOOLEANS = {None: _NULL, True: _TRUE, False: _FALSE}
_HEAD: Callable[..., bytes] = struct.Struct("!h iq iq iq iq i").pack
_REAL: Callable[..., bytes] = struct.Struct("!if").pack
_DOUBLE: Callable[..., bytes] = struct.Struct("!id").pack
_SMALLINT: Callable[..., bytes] = struct.Struct("!ih").pack
_LENGTH: Callable[..., bytes] = struct.Struct("!i").pack
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_FIELDS = COLUMNS.count(",") + 1
_to_json = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode


def packed(batch: Sequence[Placed]) -> bytes:
    """Return the whole COPY stream of a batch, its columns as in COLUMNS.

    Raises:
        struct.error, OverflowError: a number does not fit its column.
    """
    return b"".join((_BEGIN, *map(_row, batch), _END))


def _row(placed: Placed) -> bytes:
    fix = placed.position
    ewkb = to_ewkb(fix.at)
    return b"".join(
        (
            _HEAD(
                *(_FIELDS, 8, id_to_int(placed.account_id), 8, id_to_int(placed.device_id)),
                *(8, _microseconds(fix.recorded_at), 8, _microseconds(placed.received_at), len(ewkb)),
            ),
            ewkb,
            _NULL if fix.odometer_m is None else _DOUBLE(8, fix.odometer_m),
            _NULL if fix.accuracy_m is None else _REAL(4, fix.accuracy_m),
            _NULL if fix.altitude_m is None else _REAL(4, fix.altitude_m),
            _NULL if fix.speed_mps is None else _REAL(4, fix.speed_mps),
            _NULL if fix.course_deg is None else _REAL(4, fix.course_deg),
            _NULL if fix.battery_pct is None else _REAL(4, fix.battery_pct),
            _NULL if fix.hdop is None else _REAL(4, fix.hdop),
            _NULL if fix.satellites is None else _SMALLINT(2, fix.satellites),
            _BOOLEANS[fix.charging],
            _BOOLEANS[fix.ignition],
            _BOOLEANS[fix.motion],
            _NULL if fix.trigger is None else _text(fix.trigger.encode()),
            _jsonb(fix.network),
            _jsonb(fix.attrs),
        )
    )


def _microseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // _MICROSECOND


def _text(encoded: bytes) -> bytes:
    return _LENGTH(len(encoded)) + encoded


def _jsonb(value: Mapping[str, Any]) -> bytes:
    # The 1 is the version of jsonb's binary form.
    return _text(b"\x01" + _to_json(dict(value)).encode()) if value else _NULL
