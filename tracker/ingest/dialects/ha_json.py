"""JSON attributes as Home Assistant's MQTT device trackers read them (its docs, device_tracker.mqtt).

A body names no device and no time: the device is the topic itself, the time that of receipt, so a retained
replay, of unknown age, says nothing. A discovery record (`homeassistant/.../config`) tells which topic
belongs to which tracker; a device here is given its topic as external id instead, and the record is passed
over, as the states `home`, `not_home` and names of zones are.
"""

import re

from tracker.domain.errors import Malformed, Reason
from tracker.domain.position import Position, Report
from tracker.ingest.dialects._fields import (
    Body,
    as_number,
    course_deg,
    extras,
    identity,
    number,
    place,
    speed_mps,
)
from tracker.ingest.dialects._message import NOTHING, Decoded, Message, one
from tracker.ingest.dialects._values import check_size, from_json

PAYLOAD_BYTES = 64 * 1024
TAKEN = frozenset({"latitude", "longitude", "gps_accuracy", "battery_level", "altitude", "course"})

_HOLDS_JSON = re.compile(r"attr|json|location|gps|position", re.IGNORECASE)


class HaJson:
    """The dialect of trackers made for Home Assistant."""

    name = "ha_json"
    root = None
    topics = (
        "homeassistant/device_tracker/+/attributes",
        "homeassistant/device_tracker/+/+/attributes",
        "location/+",
    )

    def decode(self, message: Message) -> Decoded:
        """Return the position that attributes tell; a state, a discovery record and a replay tell none.

        Numbers in quotes are refused, as Home Assistant does; an accuracy that cannot be right is unknown.

        Raises:
            Malformed: the attributes cannot be read, or lack one of the coordinates.
        """
        check_size(message.payload, PAYLOAD_BYTES)
        if message.retained or message.topic.endswith("/config") or not message.payload.strip():
            return NOTHING
        if message.payload.lstrip()[:1] not in (b"{", b"["):
            return _state(message)
        body = from_json(message.payload, PAYLOAD_BYTES)
        if not isinstance(body, dict):
            raise Malformed(Reason.WRONG_SHAPE, "not an object")
        if not body.keys() & {"latitude", "longitude"}:
            return NOTHING
        return _position(body, message)


def _state(message: Message) -> Decoded:
    """Pass over a state, which is free text, unless the topic's name says that it holds JSON."""
    if not message.topic or _HOLDS_JSON.search(message.topic):
        raise Malformed(Reason.NOT_JSON, "syntax")
    return NOTHING


def _position(body: Body, message: Message) -> Decoded:
    at = place(body.get("latitude"), body.get("longitude"))
    if at is None:
        return NOTHING
    device = identity(message.topic)
    unit = message.settings_of(device).speed_unit
    # The unit is the sender's own affair: known for this device, or kept as it came.
    speed = None if unit is None else speed_mps(as_number(body.get("speed")), unit)
    course = number(body, "course", low=0, high=360)
    return one(
        Report(
            external_id=device,
            position=Position(
                recorded_at=message.received_at,
                at=at,
                accuracy_m=number(body, "gps_accuracy", low=0, high=1e7) or None,
                altitude_m=number(body, "altitude", low=-12_000, high=1e6),
                speed_mps=speed,
                course_deg=course_deg(course),
                battery_pct=number(body, "battery_level", low=0, high=100),
                attrs=extras(body, TAKEN if speed is None else TAKEN | {"speed"}),
            ),
        )
    )


DIALECT = HaJson()
