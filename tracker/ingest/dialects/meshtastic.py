"""Meshtastic nodes over a gateway's MQTT uplink, JSON (meshtastic/firmware, MeshPacketSerializer).

The topic and `sender` name the gateway that heard a packet; the device is `from`. The firmware's ground speed
is in km/h, whatever old comments of its protocol said. Protocol buffers (`/2/e/`), map reports and states are
passed over, texts are nobody's business here.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from tracker.domain.device import SpeedUnit
from tracker.domain.errors import Malformed, Reason
from tracker.domain.position import EARLIEST, Fact, Position, Report, plausible_time
from tracker.ingest.dialects._claimed import claimed
from tracker.ingest.dialects._fields import (
    PAYLOAD_BYTES,
    as_number,
    course_deg,
    extras,
    fact_time,
    known,
    moment_of,
    number,
    place,
    speed_mps,
    text,
    whole,
)
from tracker.ingest.dialects._message import NOTHING, Decoded, Message, one
from tracker.ingest.dialects._values import check_size, from_json

Body = Mapping[str, Any]

DEGREES = 1e-7
EVERYBODY = 0xFFFF_FFFF
BLUR_AT_10_BITS_M = 23_300
"""Half of a cell of a place whose upper 10 of 32 bits are kept (meshtastic.org, channel configuration)."""
SHARPEST_BLUR_M = 5
"""A finer blur than a receiver's own error says nothing about the accuracy."""
FULL_BITS = 32
POWERED_FROM = 101
_NODE = re.compile(r"!([0-9a-fA-F]{1,8})", re.ASCII)


class Meshtastic:
    """The dialect of Meshtastic's JSON."""

    name = "meshtastic"
    root = None
    # The root is msh/{region}, `msh` in old firmware, and may have more levels.
    topics = tuple(f"msh/{levels}2/json/+/+" for levels in ("", "+/", "+/+/", "+/+/+/"))

    def decode(self, message: Message) -> Decoded:
        """Return what a packet says; unknown types, texts and commands to a gateway say nothing.

        Raises:
            Malformed: it cannot be read or cannot be true.
        """
        check_size(message.payload, PAYLOAD_BYTES)
        if not message.payload or not _is_report(message.topic):
            return NOTHING
        body = from_json(message.payload, PAYLOAD_BYTES)
        if not isinstance(body, dict):
            raise Malformed(Reason.WRONG_SHAPE, "not an object")
        kind, payload = body.get("type"), body.get("payload")
        if kind not in ("position", "telemetry", "nodeinfo"):
            return NOTHING
        if not isinstance(payload, dict):
            raise Malformed(Reason.WRONG_SHAPE, "payload")
        node = claimed(None, _node(body.get("from")), message)
        if kind == "position":
            return _position(node, payload, body, message)
        data = _telemetry(payload) if kind == "telemetry" else _node_info(payload)
        moment = fact_time(_first_set(payload.get("time"), body.get("timestamp")), message.received_at)
        name = "telemetry" if kind == "telemetry" else "event"
        return one(Report(external_id=node, fact=Fact(kind=name, recorded_at=moment, data=data)))


def _is_report(topic: str) -> bool:
    """Tell whether the topic is that of a packet in JSON, or unknown; commands have no gateway level."""
    levels = topic.strip("/").split("/")
    if "2" not in levels:
        return True
    rest = levels[levels.index("2") + 1 :]
    return len(rest) == 3 and rest[0] == "json" and rest[2].startswith("!")


def _node(value: Any) -> str | None:
    """Return the name of a node by its number, which old firmware wrote signed."""
    if isinstance(value, str):
        written = _NODE.fullmatch(value)
        value = int(written[1], 16) if written else None
    found = as_number(value)
    if found is None or not -(2**31) <= found < 2**32 or found != int(found):
        return None
    numbered = int(found) & 0xFFFF_FFFF
    return f"!{numbered:08x}" if numbered not in (0, EVERYBODY) else None


def _position(node: str | None, payload: Body, body: Body, message: Message) -> Decoded:
    lat, lon = as_number(payload.get("latitude_i")), as_number(payload.get("longitude_i"))
    # Rounding takes back what the multiplication adds beyond the seventh decimal.
    found = place(
        None if lat is None else round(lat * DEGREES, 7), None if lon is None else round(lon * DEGREES, 7)
    )
    if found is None:
        return NOTHING
    unit = message.settings_of(node).speed_unit or SpeedUnit.KMH
    hdop = number(payload, "HDOP", low=0, high=100_000)
    track = number(payload, "ground_track", low=0, high=36_000_000)
    return one(
        Report(
            external_id=node,
            position=Position(
                recorded_at=_moment(payload, body, message.received_at),
                at=found,
                accuracy_m=_blur_m(payload),
                altitude_m=number(payload, "altitude", low=-12_000, high=1e6),
                speed_mps=speed_mps(number(payload, "ground_speed"), unit),
                course_deg=course_deg(None if track is None else track / 1e5),
                satellites=whole(payload, "sats_in_view", low=0, high=1000),
                hdop=None if not hdop else hdop / 100,
                attrs=_attrs(payload, body),
            ),
        )
    )


def _moment(payload: Body, body: Body, received_at: datetime) -> datetime:
    """Return when the fix was: by its satellites, else its node's clock, else when a gateway heard it.

    Raises:
        Malformed: NO_TIME: no clock was set; TIME_IN_FUTURE.
    """
    for value in (payload.get("timestamp"), payload.get("time"), body.get("timestamp")):
        try:
            found = moment_of(value)
        except Malformed:
            continue
        # A clock that was never set counts from 0.
        if found >= EARLIEST:
            return plausible_time(found, received_at)
    raise Malformed(Reason.NO_TIME, "timestamp")


def _first_set(*values: Any) -> Any:
    return next((each for each in values if as_number(each)), None)


def _blur_m(payload: Body) -> float | None:
    """Return how far a deliberately coarse place may be off; None if it is not coarse, or nothing is said."""
    bits = whole(payload, "precision_bits", low=1, high=FULL_BITS)
    if bits is None or bits == FULL_BITS:
        return None
    blur = BLUR_AT_10_BITS_M * 2.0 ** (10 - bits)
    return blur if blur >= SHARPEST_BLUR_M else None


def _attrs(payload: Body, body: Body) -> dict[str, Any]:
    dilutions = {name.lower(): number(payload, name, low=0, high=100_000) for name in ("PDOP", "VDOP")}
    return known(
        **{name: value / 100 for name, value in dilutions.items() if value},
        precision_bits=whole(payload, "precision_bits", low=0, high=FULL_BITS),
        hops_away=whole(body, "hops_away", low=0, high=255),
        rssi=number(body, "rssi", low=-1000, high=1000),
        snr=number(body, "snr", low=-1000, high=1000),
    )


def _telemetry(payload: Body) -> dict[str, Any]:
    level, volts = (
        number(payload, "battery_level", low=0, high=255),
        number(payload, "voltage", low=0, high=1000),
    )
    # Before the first measurement both are 0.
    told = None if level == 0 and volts == 0 else level
    powered = None if told is None else told >= POWERED_FROM
    return {
        **extras(payload, ("battery_level",)),
        **known(battery_pct=None if powered else told, charging=powered or None),
    }


def _node_info(payload: Body) -> dict[str, Any]:
    return {
        "event": "nodeinfo",
        **known(
            name=text(payload, "longname", longest=64), short_name=text(payload, "shortname", longest=16)
        ),
    }


DIALECT = Meshtastic()
