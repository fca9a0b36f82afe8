"""Packs the columns of positions as arrays in PostgreSQL's binary form (`array_send` in its source). Pure.

By hand, because this is where ingest spends its time: psycopg's own arrays take ten times as long. All rows
go in one statement; a COPY into a stage and an INSERT from there took four round trips and a third more time.
"""

import struct
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from psycopg import pq
from psycopg.abc import AdaptContext
from psycopg.adapt import Dumper

from tracker.domain.position import Placed
from tracker.store.schema import id_to_int

COLUMNS = (
    "account_id, device_id, recorded_at, received_at, geom, odometer_m, accuracy_m, altitude_m, speed_mps, "
    "course_deg, battery_pct, hdop, satellites, charging, ignition, motion, trigger, network, attrs"
)
"""Of the table `positions`, and of the rows that `ROWS` makes, which have `newest` besides."""
_TYPES = {
    "newest": "bool",
    "account_id": "int8",
    "device_id": "int8",
    "recorded_at": "timestamptz",
    "received_at": "timestamptz",
    "lon": "float8",
    "lat": "float8",
    "odometer_m": "float8",
    "accuracy_m": "float4",
    "altitude_m": "float4",
    "speed_mps": "float4",
    "course_deg": "float4",
    "battery_pct": "float4",
    "hdop": "float4",
    "satellites": "int2",
    "charging": "bool",
    "ignition": "bool",
    "motion": "bool",
    "trigger": "text",
    "network": "jsonb",
    "attrs": "jsonb",
}
_COLUMNS_OF_ROW = COLUMNS.replace("geom", "ST_SetSRID(ST_MakePoint(lon, lat), 4326) AS geom")
_ARRAYS = ", ".join(f"%({name})s::{kind}[]" for name, kind in _TYPES.items())
ROWS = f"SELECT newest, {_COLUMNS_OF_ROW} FROM unnest({_ARRAYS}) AS row ({', '.join(_TYPES)})"  # noqa: S608
"""A query with the parameters of `packed` that gives the batch back as rows."""

_OIDS = {
    "bool": 16,
    "int8": 20,
    "int2": 21,
    "text": 25,
    "float4": 700,
    "float8": 701,
    "timestamptz": 1184,
    "jsonb": 3802,
}
_NULL = struct.pack("!i", -1)
_ARRAY = struct.Struct("!iiiii").pack
_LENGTH: Callable[..., bytes] = struct.Struct("!i").pack
_INT8: Callable[..., bytes] = struct.Struct("!iq").pack
_INT2: Callable[..., bytes] = struct.Struct("!ih").pack
_FLOAT4: Callable[..., bytes] = struct.Struct("!if").pack
_FLOAT8: Callable[..., bytes] = struct.Struct("!id").pack
_BOOL = {None: _NULL, False: struct.pack("!i?", 1, False), True: struct.pack("!i?", 1, True)}
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_to_json = msgspec.json.Encoder().encode


class PackedArray:
    """An array in binary form."""

    __slots__ = ("content",)

    def __init__(self, content: bytes) -> None:
        self.content = content


class PackedArrayDumper(Dumper):
    """Hands a `PackedArray` to psycopg as it is; the statement casts it, which tells its type."""

    format = pq.Format.BINARY

    def dump(self, obj: PackedArray) -> bytes:
        """Return the array's bytes."""
        return obj.content


def register(context: AdaptContext) -> None:
    """Let this cursor or connection take packed arrays."""
    context.adapters.register_dumper(PackedArray, PackedArrayDumper)


def packed(batch: Sequence[Placed], newest: Collection[int]) -> dict[str, PackedArray]:
    """Return the parameters of `ROWS` for a batch, sorted by account and device.

    Neighbours in the index are inserted together, which saves a quarter of the insert, and every batch locks
    last positions in the same order. One device's rows stay in theirs: the first of equals is kept.
    `newest` are the places in the batch of the rows whose column of that name is true.

    Raises:
        struct.error, OverflowError: a number does not fit its column.
    """
    order = sorted(range(len(batch)), key=lambda at: (batch[at].account_id, batch[at].device_id))
    rows = [batch[at] for at in order]
    fixes = [row.position for row in rows]
    columns = {
        "newest": [_BOOL[at in newest] for at in order],
        "account_id": [_INT8(8, id_to_int(row.account_id)) for row in rows],
        "device_id": [_INT8(8, id_to_int(row.device_id)) for row in rows],
        "recorded_at": [_INT8(8, (fix.recorded_at - _EPOCH) // _MICROSECOND) for fix in fixes],
        "received_at": [_INT8(8, (row.received_at - _EPOCH) // _MICROSECOND) for row in rows],
        "lon": [_FLOAT8(8, fix.at.lon) for fix in fixes],
        "lat": [_FLOAT8(8, fix.at.lat) for fix in fixes],
        "odometer_m": _numbers([fix.odometer_m for fix in fixes], _FLOAT8, 8),
        "accuracy_m": _numbers([fix.accuracy_m for fix in fixes], _FLOAT4, 4),
        "altitude_m": _numbers([fix.altitude_m for fix in fixes], _FLOAT4, 4),
        "speed_mps": _numbers([fix.speed_mps for fix in fixes], _FLOAT4, 4),
        "course_deg": _numbers([fix.course_deg for fix in fixes], _FLOAT4, 4),
        "battery_pct": _numbers([fix.battery_pct for fix in fixes], _FLOAT4, 4),
        "hdop": _numbers([fix.hdop for fix in fixes], _FLOAT4, 4),
        "satellites": _numbers([fix.satellites for fix in fixes], _INT2, 2),
        "charging": [_BOOL[fix.charging] for fix in fixes],
        "ignition": [_BOOL[fix.ignition] for fix in fixes],
        "motion": [_BOOL[fix.motion] for fix in fixes],
        "trigger": [_NULL if fix.trigger is None else _text(fix.trigger.encode()) for fix in fixes],
        "network": [_jsonb(fix.network) if fix.network else _NULL for fix in fixes],
        "attrs": [_jsonb(fix.attrs) if fix.attrs else _NULL for fix in fixes],
    }
    return {name: _array(elements, _OIDS[_TYPES[name]]) for name, elements in columns.items()}


def _array(elements: Sequence[bytes], element_oid: int) -> PackedArray:
    # One dimension, nulls possible, counted from 1.
    head = _ARRAY(1, 1, element_oid, len(elements), 1)
    return PackedArray(b"".join((head, *elements)))


def _numbers(values: Sequence[float | None], pack: Callable[..., bytes], size: int) -> Sequence[bytes]:
    if values.count(None) == len(values):
        return (_NULL,) * len(values)
    return [_NULL if value is None else pack(size, value) for value in values]


def _text(encoded: bytes) -> bytes:
    return _LENGTH(len(encoded)) + encoded


def _jsonb(value: Mapping[str, Any]) -> bytes:
    encoded = _to_json(value)
    # The 1 is the version of jsonb's binary form.
    return _LENGTH(1 + len(encoded)) + b"\x01" + encoded
