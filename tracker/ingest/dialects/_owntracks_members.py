"""Members of an OwnTracks object. What a phone cannot know it leaves out, or writes as -1, null or 0.

A member that cannot be right is unknown: the place and time of a position are worth more than its speed.
Booleans are not numbers; numbers in quotes are taken only where old versions wrote them so.
"""

import math
from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from tracker.domain.errors import Malformed, Reason
from tracker.ingest.dialects._values import check_plain, check_text, refusal, size_bytes

Body = Mapping[str, Any]
Metres = Annotated[float, Meta(ge=-1e7, le=1e7)]
Text16 = Annotated[str, Meta(max_length=16)]
Text64 = Annotated[str, Meta(max_length=64)]
Flag = bool | Annotated[int, Meta(ge=0, le=1)]
Cell = Annotated[int, Meta(ge=0, lt=2**32)] | Text16

ATTRS_KEYS = 32
ATTRS_BYTES = 4 * 1024
CONNECTIONS = {"w": "wifi", "m": "mobile", "o": "offline"}
ON_POWER = {1: False, 2: True, 3: True}
IGNITION_TRIGGERS = {"i": True, "I": False}
# Pictures are large, and whose message it is says the topic that the broker checked.
_DROPPED = {"_type", "image", "imagename", "face", "topic", "_http", "ghash", "username", "device"}


class Location(msgspec.Struct, frozen=True, gc=False):
    """The members of a location that have a column; -1 is still -1."""

    lat: Annotated[float, Meta(ge=-90, le=90)]
    lon: Annotated[float, Meta(ge=-180, le=180)]
    tst: int | float | Annotated[str, Meta(max_length=32)]
    acc: Metres | None = None
    alt: Annotated[float, Meta(ge=-12_000, le=1e6)] | None = None
    vel: Annotated[float, Meta(ge=-1, le=1e5)] | None = None
    cog: Annotated[float, Meta(ge=-1, le=360)] | None = None
    batt: Annotated[float, Meta(ge=-1, le=100)] | None = None
    bs: int | None = None
    t: Text16 | None = None
    sat: Annotated[int, Meta(ge=0, le=1000)] | None = None
    hdop: Annotated[float, Meta(ge=0, le=1000)] | None = None
    odometer: Annotated[float, Meta(ge=0, le=1e9)] | None = None
    ign: Flag | None = None
    motion: Flag | None = None
    conn: Text16 | None = None
    SSID: Text64 | None = None
    BSSID: Text64 | None = None
    ssid: Text64 | None = None
    bssid: Text64 | None = None
    mcc: Cell | None = None
    mnc: Cell | None = None
    lac: Cell | None = None
    cid: Cell | None = None


_REQUIRED = frozenset({"lat", "lon", "tst"})
_TYPES = {field.name: field.type for field in msgspec.structs.fields(Location)}
_TAKEN = frozenset(_TYPES) | _DROPPED


def location(body: Body) -> Location:
    """Return the members of a location, those that cannot be right as None.

    Raises:
        Malformed: NO_TIME, or the place is missing, no number or out of range.
    """
    if body.get("tst") is None:
        raise Malformed(Reason.NO_TIME, "tst")
    try:
        return msgspec.convert(body, Location)
    except msgspec.ValidationError:
        pass
    good = {name: body[name] for name in _TYPES if name in body and (name in _REQUIRED or _fits(body, name))}
    try:
        return msgspec.convert(good, Location)
    except msgspec.ValidationError as error:
        raise refusal(error) from None


def _fits(body: Body, name: str) -> bool:
    try:
        msgspec.convert(body[name], _TYPES[name])
    except msgspec.ValidationError:
        return False
    return True


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


def text(body: Body, name: str, *, longest: int) -> str | None:
    """Return a text of 1..longest characters that the database can hold, else None."""
    value = body.get(name)
    return storable(value) if isinstance(value, str) and 0 < len(value) <= longest else None


def storable(value: str | None) -> str | None:
    """Return a text that the database can hold and that is not empty, else None."""
    if not value:
        return None
    try:
        check_text(value, "")
    except Malformed:
        return None
    return value


def scaled(value: float | None, factor: float) -> float | None:
    """Return the value in our unit; None if it is unknown or negative."""
    return None if value is None or value < 0 else value * factor


def flag(value: bool | int | None) -> bool | None:
    """Return a boolean, or the 0 or 1 that trackers write for one, as a boolean."""
    return None if value is None else bool(value)


def ignition(wire: Location) -> bool | None:
    """Return the ignition of a vehicle's tracker: `ign`, or the triggers i (on) and I (off)."""
    return flag(wire.ign) if wire.ign is not None else IGNITION_TRIGGERS.get(wire.t or "")


def network(wire: Location) -> dict[str, Any]:
    """Return what the device told of its network: type, ssid, bssid, mcc, mnc, lac, cid."""
    found: dict[str, Any] = {}
    if (kind := CONNECTIONS.get(wire.conn or "")) is not None:
        found["type"] = kind
    for name, value in (("ssid", wire.SSID or wire.ssid), ("bssid", wire.BSSID or wire.bssid)):
        if (told := storable(value)) is not None:
            found[name] = told
    for name in ("mcc", "mnc", "lac", "cid"):
        value = getattr(wire, name)
        if value is not None and (told := storable(str(value))) is not None:
            found[name] = told
    return found


def extras(body: Body) -> dict[str, Any]:
    """Return the members that have no column, as far as 32 keys and 4 KiB reach, in the message's order."""
    kept: dict[str, Any] = {}
    for name, value in body.items():
        if name in _TAKEN or value is None or len(kept) == ATTRS_KEYS:
            continue
        try:
            check_plain(name, "name")
            check_plain(value, "value")
        except Malformed:
            continue
        kept[name] = value
    while size_bytes(kept) > ATTRS_BYTES:
        del kept[max(kept, key=lambda name: size_bytes({name: kept[name]}))]
    return kept
