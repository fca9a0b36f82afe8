"""The monthly `.rec` files of the OwnTracks Recorder (its doc/STORE.md): time, TAB, kind, TAB, payload.

Lines whose payload is a location (https://owntracks.org/booklet/tech/json/) are positions; other kinds are
passed over. What the Recorder could not decrypt is refused.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

from tracker.domain.position import Position
from tracker.history.imports._fix import fix, moment, number, place
from tracker.history.imports._lines import lines
from tracker.history.imports._record import Record, Refusal, Unfit, Why

_CONNECTIONS = {"w": "wifi", "m": "mobile", "o": "offline"}
_KEPT = ("tag", "tid", "m", "vac", "p", "poi", "inregions", "rad")


class OwnTracksRec:
    """Reads the locations of a Recorder's file."""

    name = "owntracks_rec"
    title = "OwnTracks Recorder .rec"

    def matches(self, head: bytes) -> bool:
        """Tell whether the first line is a time, a kind and a payload, with tabs between."""
        parts = head.split(b"\n", 1)[0].split(b"\t")
        return len(parts) >= 3 and parts[0][:1].isdigit() and b"T" in parts[0]

    def read(self, stream: BinaryIO) -> Iterator[Record]:
        """Yield the locations in the order of the file."""
        for count, line in enumerate(lines(stream), start=1):
            if line == "":
                continue
            try:
                position = _position(line)
            except Unfit as error:
                yield Refusal(count, error.why)
                continue
            if position:
                yield position


def _position(line: str | None) -> Position | None:
    parts = (line or "").split("\t", 2)
    if len(parts) != 3:
        raise Unfit(Why.NOT_READABLE)
    if parts[1].strip() == "encrypted":
        raise Unfit(Why.ENCRYPTED)
    try:
        payload = json.loads(parts[2])
    except (ValueError, RecursionError):
        # Notes of the Recorder's own have texts, not JSON.
        if parts[1].strip() == "*":
            raise Unfit(Why.NOT_READABLE) from None
        return None
    if not isinstance(payload, dict):
        raise Unfit(Why.NOT_READABLE)
    if payload.get("_type") == "encrypted":
        raise Unfit(Why.ENCRYPTED)
    return _location(payload) if payload.get("_type") == "location" else None


def _location(payload: Mapping[str, Any]) -> Position:
    kmh = number(payload.get("vel"))
    state = payload.get("bs")
    network: dict[str, Any] = {}
    if payload.get("conn") in _CONNECTIONS:
        network["type"] = _CONNECTIONS[payload["conn"]]
    network |= {key.lower(): payload[key] for key in ("SSID", "BSSID") if isinstance(payload.get(key), str)}
    return fix(
        moment(payload.get("tst")),
        place(payload.get("lat"), payload.get("lon")),
        accuracy_m=payload.get("acc"),
        altitude_m=payload.get("alt"),
        speed_mps=kmh / 3.6 if kmh is not None else None,
        course_deg=payload.get("cog"),
        battery_pct=payload.get("batt"),
        charging=state in {2, 3} if state in {1, 2, 3} else None,
        trigger=payload.get("t"),
        network=network,
        attrs={name: payload[name] for name in _KEPT if name in payload},
    )


FORMAT = OwnTracksRec()
