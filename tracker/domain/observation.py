"""A position as the folds take it."""

import math
import struct
from collections.abc import Mapping
from typing import Any, NamedTuple

from tracker.domain.position import Position

_FLOAT4 = struct.Struct("f")
_FLOAT4_MOST = 3.4e38
_CRIES = frozenset({"sos", "alarm"})
"""Triggers that say that somebody pressed the button."""


class Observation(NamedTuple):
    """One fix; `at_s` is Unix time: arithmetic on it is most of the engine's work. None is unknown.

    `alarm` is what the device itself cries ("sos", "tow", ...), `sim` the identity of its card, `accel_mps2`
    along its way, negative when braking.
    """

    at_s: float
    lat: float
    lon: float
    accuracy_m: float | None = None
    speed_mps: float | None = None
    course_deg: float | None = None
    battery_pct: float | None = None
    charging: bool | None = None
    ignition: bool | None = None
    odometer_m: float | None = None
    motion: bool | None = None
    alarm: str | None = None
    sim: str | None = None
    accel_mps2: float | None = None


def observed(position: Position) -> Observation:
    """Return what the folds take of a position; the same for one just received and one read back.

    Numbers that the table `positions` keeps in four bytes are rounded to four bytes, for a replay must see
    what the live fold saw. `attrs` and `network` are a device's own: what is odd in them is unknown.
    """
    attrs, network = position.attrs, position.network
    return Observation(
        at_s=position.recorded_at.timestamp(),
        lat=position.at.lat,
        lon=position.at.lon,
        accuracy_m=_float4(position.accuracy_m),
        speed_mps=_float4(position.speed_mps),
        course_deg=_float4(position.course_deg),
        battery_pct=_float4(position.battery_pct),
        charging=position.charging,
        ignition=position.ignition,
        odometer_m=None if position.odometer_m is None else float(position.odometer_m),
        motion=position.motion,
        alarm="sos" if position.trigger in _CRIES else _text(attrs, "alarm") if attrs else None,
        sim=(_text(network, "sim") if network else None) or (_text(attrs, "iccid") if attrs else None),
        accel_mps2=_number(attrs, "accel_mps2") if attrs else None,
    )


def _float4(value: float | None) -> float | None:
    if value is None or not -_FLOAT4_MOST < value < _FLOAT4_MOST:
        return None
    rounded: float = _FLOAT4.unpack(_FLOAT4.pack(value))[0]
    return rounded


def _text(values: Mapping[str, Any], name: str) -> str | None:
    value = values.get(name)
    return value[:64] or None if isinstance(value, str) else None


def _number(values: Mapping[str, Any], name: str) -> float | None:
    value = values.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)
