"""Members of an OwnTracks object. What a phone cannot know it leaves out, or writes as -1, null or 0.

A member that cannot be right is unknown: the place and time of a position are worth more than its speed.
Booleans are not numbers; numbers in quotes are taken only where old versions wrote them so.
"""

import math
from collections.abc import Mapping
from typing import Any

from tracker.domain.errors import Malformed
from tracker.ingest.dialects._values import check_plain, check_text, size_bytes

Body = Mapping[str, Any]

ATTRS_KEYS = 32
ATTRS_BYTES = 4 * 1024
CONNECTIONS = {"w": "wifi", "m": "mobile", "o": "offline"}
ON_POWER = {1: False, 2: True, 3: True}
IGNITION_TRIGGERS = {"i": True, "I": False}
_TAKEN = frozenset(
    {
        *("_type", "lat", "lon", "tst", "acc", "alt", "vel", "cog", "batt", "bs", "t", "conn"),
        *("SSID", "BSSID", "ssid", "bssid", "mcc", "mnc", "lac", "cid"),
        *("odometer", "ign", "motion", "sat", "hdop"),
        # Pictures are large, and whose message it is says the topic that the broker checked.
        *("image", "imagename", "face", "topic", "_http", "ghash", "username", "device"),
    }
)


def number(
    body: Body, name: str, *, low: float = -math.inf, high: float = math.inf, strings: bool = False
) -> float | None:
    """Return a finite number within low..high, else None."""
    value = body.get(name)
    if isinstance(value, str) and strings:
        try:
            value = float(value)
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        value = float(value)
    except OverflowError:
        return None
    return value if math.isfinite(value) and low <= value <= high else None


def integer(body: Body, name: str, *, low: int, high: int) -> int | None:
    """Return a whole number within low..high, else None."""
    value = number(body, name, low=low, high=high)
    return int(value) if value is not None and value.is_integer() else None


def scaled(value: float | None, factor: float) -> float | None:
    """Return the value in our unit, None if it is unknown."""
    return None if value is None else value * factor


def text(body: Body, name: str, *, longest: int) -> str | None:
    """Return a text of 1..longest characters that the database can hold, else None."""
    value = body.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= longest:
        return None
    try:
        check_text(value, name)
    except Malformed:
        return None
    return value


def boolean(body: Body, name: str) -> bool | None:
    """Return a boolean, or the 0 or 1 that trackers write for one, else None."""
    value = body.get(name)
    return bool(value) if isinstance(value, bool | int) and value in (0, 1) else None


def charging(body: Body) -> bool | None:
    """Return whether the phone is on power: `bs` 1 is unplugged, 2 charging, 3 full."""
    status = integer(body, "bs", low=0, high=3)
    return None if status is None else ON_POWER.get(status)


def ignition(body: Body) -> bool | None:
    """Return the ignition of a vehicle's tracker: `ign`, or the triggers i (on) and I (off)."""
    told = boolean(body, "ign")
    trigger = body.get("t")
    return IGNITION_TRIGGERS.get(trigger) if told is None and isinstance(trigger, str) else told


def network(body: Body) -> dict[str, Any]:
    """Return what the device told of its network: type, ssid, bssid, mcc, mnc, lac, cid."""
    connection = body.get("conn")
    found = {
        "type": CONNECTIONS.get(connection) if isinstance(connection, str) else None,
        "ssid": text(body, "SSID", longest=64) or text(body, "ssid", longest=64),
        "bssid": text(body, "BSSID", longest=64) or text(body, "bssid", longest=64),
    }
    for name in ("mcc", "mnc", "lac", "cid"):
        value = body.get(name)
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**32:
            found[name] = str(value)
        else:
            found[name] = text(body, name, longest=16)
    return {name: value for name, value in found.items() if value is not None}


def extras(body: Body) -> dict[str, Any]:
    """Return the members that have no column, as far as 32 keys and 4 KiB reach, in the message's order."""
    kept: dict[str, Any] = {}
    room = ATTRS_BYTES
    for name, value in body.items():
        if name in _TAKEN or value is None or len(kept) == ATTRS_KEYS:
            continue
        try:
            check_plain({name: value}, name)
        except Malformed:
            continue
        size = size_bytes({name: value})
        if size <= room:
            kept[name] = value
            room -= size
    return kept
