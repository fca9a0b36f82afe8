"""Members of an OwnTracks object. What a phone cannot know it leaves out, or writes as -1, null or 0.

A member that cannot be right is unknown: the place and time of a position are worth more than its speed.
Booleans are not numbers. Greenwich trackers and old apps write numbers in quotes.
"""

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from tracker.domain.errors import Malformed, Reason
from tracker.ingest.dialects._fields import as_number, extras, flag, storable
from tracker.ingest.dialects._values import refusal

Body = Mapping[str, Any]
Metres = Annotated[float, Meta(ge=-1e7, le=1e7)]
Text16 = Annotated[str, Meta(max_length=16)]
Text64 = Annotated[str, Meta(max_length=64)]
Flag = bool | Annotated[int, Meta(ge=0, le=1)]
Cell = Annotated[int, Meta(ge=0, lt=2**32)] | Text16

CONNECTIONS = {"w": "wifi", "m": "mobile", "o": "offline"}
ON_POWER = {1: False, 2: True, 3: True}
IGNITION_TRIGGERS = {"i": True, "I": False}
POWER_TRIGGERS = {"e": False, "E": True, "2": False, "3": True}
"""Of Queclink trackers: external power lost and back, charging stopped and started."""
# Pictures are large; a Recorder adds the rest.
_DROPPED = {"_type", "image", "face", "_http", "ghash", "username", "device"}


class Location(msgspec.Struct, frozen=True, gc=False):
    """The members of a location that have a column; -1 is still -1."""

    lat: Annotated[float, Meta(ge=-90, le=90)]
    lon: Annotated[float, Meta(ge=-180, le=180)]
    tst: int | float
    acc: Metres | None = None
    alt: Annotated[float, Meta(ge=-12_000, le=1e6)] | None = None
    vel: Annotated[float, Meta(ge=-1, le=1e5)] | None = None
    cog: Annotated[float, Meta(ge=-1, le=360)] | None = None
    batt: Annotated[float, Meta(ge=-1, le=100)] | None = None
    bs: int | None = None
    t: Text16 | Annotated[int, Meta(ge=0, lt=1000)] | None = None
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
_NUMBERS = frozenset(
    (
        *("lat", "lon", "tst", "acc", "alt", "vel", "cog", "batt", "bs", "sat", "hdop", "odometer"),
        *("ign", "motion"),
    )
)
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
    read = {
        name: _unquoted(body[name]) if name in _NUMBERS else body[name] for name in _TYPES if name in body
    }
    if isinstance(read["tst"], str):
        raise Malformed(Reason.NO_TIME, "tst")
    good = {name: each for name, each in read.items() if name in _REQUIRED or _fits(each, name)}
    try:
        return msgspec.convert(good, Location)
    except msgspec.ValidationError as error:
        raise refusal(error) from None


def _unquoted(value: Any) -> Any:
    found = as_number(value, strings=True) if isinstance(value, str) else None
    if found is None:
        return value
    return int(found) if found == int(found) else found


def _fits(value: Any, name: str) -> bool:
    try:
        msgspec.convert(value, _TYPES[name])
    except msgspec.ValidationError:
        return False
    return True


def ignition(wire: Location) -> bool | None:
    """Return the ignition of a vehicle's tracker: `ign`, or the triggers i (on) and I (off)."""
    return flag(wire.ign) if wire.ign is not None else IGNITION_TRIGGERS.get(str(wire.t))


def charging(wire: Location) -> bool | None:
    """Return whether the device is on external power: `bs`, or the triggers of a vehicle's tracker."""
    return ON_POWER.get(wire.bs) if wire.bs is not None else POWER_TRIGGERS.get(str(wire.t))


def trigger(wire: Location) -> str | None:
    """Return why the device reported, as it wrote it; None if it was automatic."""
    return storable(str(wire.t)) if wire.t is not None else None


def network(wire: Location) -> dict[str, Any]:
    """Return what the device told of its network: type, ssid, bssid, mcc, mnc, lac, cid."""
    found: dict[str, Any] = {}
    if (kind := CONNECTIONS.get(wire.conn or "")) is not None:
        found["type"] = kind
    for name, value in (("ssid", wire.SSID or wire.ssid), ("bssid", wire.BSSID or wire.bssid)):
        if (told := storable(value)) is not None:
            found[name] = told
    for name, cell in (("mcc", wire.mcc), ("mnc", wire.mnc), ("lac", wire.lac), ("cid", wire.cid)):
        if cell is not None and (said := storable(cell) if isinstance(cell, str) else cell) is not None:
            found[name] = said
    return found


def attrs(body: Body) -> dict[str, Any]:
    """Return the members that have no column, as far as 32 keys and 4 KiB reach."""
    return extras(body, _TAKEN)
