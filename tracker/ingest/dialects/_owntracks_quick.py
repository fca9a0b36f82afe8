"""A short way for the message that nearly every phone sends: one location, all of whose members are known.

It says what the long way says in half the time (a test holds them side by side); whatever is out of the
ordinary goes the long way.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from tracker.domain.device import SpeedUnit
from tracker.domain.geo import LatLon
from tracker.domain.position import Position, plausible_time
from tracker.ingest.dialects._fields import MPS_PER_UNIT
from tracker.ingest.dialects._owntracks_members import (
    CONNECTIONS,
    IGNITION_TRIGGERS,
    ON_POWER,
    POWER_TRIGGERS,
    Metres,
)
from tracker.ingest.dialects._values import epoch_time

KMH = MPS_PER_UNIT[SpeedUnit.KMH]
Small = Annotated[int, Meta(ge=-(2**31), lt=2**31)]
Number = Annotated[float, Meta(ge=-1e9, le=1e9)] | Small
Word = Annotated[str, Meta(min_length=1, max_length=16)]


class Quick(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True, rename={"kind": "_type"}):
    """The members of the common message; -1 is still -1."""

    kind: Literal["location"]
    lat: Annotated[float, Meta(ge=-90, le=90)]
    lon: Annotated[float, Meta(ge=-180, le=180)]
    tst: int | float
    acc: Metres | None = None
    alt: Annotated[float, Meta(ge=-12_000, le=1e6)] | None = None
    vel: Annotated[float, Meta(ge=-1, le=1e5)] | None = None
    cog: Annotated[float, Meta(ge=-1, le=360)] | None = None
    batt: Annotated[float, Meta(ge=-1, le=100)] | None = None
    bs: Small | None = None
    t: Word | None = None
    conn: Word | None = None
    tid: Word | None = None
    m: Number | None = None
    vac: Number | None = None
    p: Number | None = None
    created_at: Number | None = None


_decode = msgspec.json.Decoder(Quick).decode
_MEMBERS = len(Quick.__struct_fields__)
_NETWORKS: Mapping[str, Mapping[str, Any]] = {
    written: {"type": kind} for written, kind in CONNECTIONS.items()
}


def position(payload: bytes, received_at: datetime) -> Position | None:
    """Return the position of a common message; None: it is another one, and the long way tells.

    Raises:
        Malformed: its time cannot be right.
    """
    try:
        quick = _decode(payload)
    except (ValueError, RecursionError):
        return None
    members = msgspec.structs.astuple(quick)
    # Each colon ends a name or lies in a text. A name that is there twice, or a null, makes them differ.
    if payload.count(b":") != _MEMBERS - members.count(None):
        return None
    _, lat, lon, tst, acc, alt, vel, cog, batt, bs, t, conn, tid, m, vac, p, created_at = members
    if not f"{t}{conn}{tid}".isprintable():
        return None
    moment = plausible_time(epoch_time(tst), received_at)
    if lat == 0 and lon == 0:
        return None
    attrs = {}
    if tid is not None:
        attrs["tid"] = tid
    if m is not None:
        attrs["m"] = m
    if vac is not None:
        attrs["vac"] = vac
    if p is not None:
        attrs["p"] = p
    if created_at is not None:
        attrs["created_at"] = created_at
    return Position(
        moment,
        LatLon(lat=lat, lon=lon),
        acc if acc and acc > 0 else None,
        alt,
        vel * KMH if vel is not None and vel >= 0 else None,
        cog % 360 if cog is not None and cog >= 0 else None,
        batt if batt is not None and batt >= 0 else None,
        POWER_TRIGGERS.get(t or "") if bs is None else ON_POWER.get(bs),
        IGNITION_TRIGGERS.get(t or ""),
        None,
        t,
        None,
        None,
        None,
        _NETWORKS.get(conn or "", {}),
        attrs,
    )
