"""The Things Stack v3, over MQTT or as webhooks: LoRaWAN trackers (lorawan-stack-docs, integrations).

The place is what the network solved, or what the device's formatter decoded. A registered place
(`locations.user`) and the places of gateways (`rx_metadata[].location`) are never the tracker's. What a
network simulates is no fix.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from tracker.domain.errors import Malformed, Reason
from tracker.ingest.codecs._reading import Reading, told_place
from tracker.ingest.dialects._claimed import claimed
from tracker.ingest.dialects._fields import PAYLOAD_BYTES
from tracker.ingest.dialects._lorawan import (
    Uplink,
    base64_bytes,
    event,
    heard,
    port_of,
    solved,
    uplink,
)
from tracker.ingest.dialects._message import NOTHING, Decoded, Message
from tracker.ingest.dialects._values import check_size, from_json

Body = Mapping[str, Any]

EVENTS = {
    "join_accept": "join",
    "downlink_ack": "downlink_ack",
    "downlink_nack": "downlink_nack",
    "downlink_failed": "downlink_failed",
}
_OUR_OWN = frozenset({"push", "replace"})
"""Downlinks that are asked for below `down/`."""


class ThingsStack:
    """The dialect of The Things Stack."""

    name = "tts_v3"
    root = None
    topics = tuple(
        f"v3/+/devices/+/{kind}"
        for kind in ("up", "join", "location/solved", "down/ack", "down/nack", "down/failed")
    )

    def decode(self, message: Message) -> Decoded:
        """Return what a message says; what is neither an uplink, a place, a join nor an answer says nothing.

        Raises:
            Malformed: it cannot be read or cannot be true.
        """
        check_size(message.payload, PAYLOAD_BYTES)
        levels = message.topic.strip("/").split("/")
        if not message.payload or (levels[4:5] == ["down"] and set(levels[5:6]) & _OUR_OWN):
            return NOTHING
        body = from_json(message.payload, PAYLOAD_BYTES)
        if not isinstance(body, dict):
            raise Malformed(Reason.WRONG_SHAPE, "not an object")
        if body.get("simulated") is True:
            return NOTHING
        kind = next((name for name in ("location_solved", "uplink_message", *EVENTS) if name in body), None)
        if kind is None:
            return NOTHING
        inner = body[kind]
        if not isinstance(inner, dict):
            raise Malformed(Reason.WRONG_SHAPE, kind)
        device = claimed(_device_level(levels), _object(body, "end_device_ids").get("device_id"), message)
        if kind in EVENTS:
            return event(device, EVENTS[kind], heard((), (body.get("received_at"),)), message)
        if kind == "location_solved":
            return _solved(device, inner, body, message)
        return _uplink(device, inner, body, message)


def _device_level(levels: list[str]) -> str | None:
    return levels[3] if len(levels) > 3 and levels[0] == "v3" and levels[2] == "devices" else None


def _object(body: Body, name: str) -> Body:
    value = body.get(name)
    return value if isinstance(value, dict) else {}


def _solved(device: str | None, inner: Body, body: Body, message: Message) -> Decoded:
    moment = heard((), (inner.get("received_at"), body.get("received_at")))
    return uplink(_bare(device, moment, solved(inner.get("location"))), message)


def _bare(device: str | None, moment: datetime | None, place: Reading | None) -> Uplink:
    return Uplink(external_id=device, fields=None, payload=None, port=0, heard_at=moment, solved=place)


def _uplink(device: str | None, inner: Body, body: Body, message: Message) -> Decoded:
    fields = inner.get("decoded_payload")
    return uplink(
        Uplink(
            external_id=device,
            fields=fields if isinstance(fields, dict) else None,
            payload=base64_bytes(inner.get("frm_payload")),
            port=port_of(inner.get("f_port")),
            heard_at=heard(_gateway_times(inner), (inner.get("received_at"), body.get("received_at"))),
            solved=_normalized(inner) or solved(_object(inner, "locations").get("frm-payload")),
        ),
        message,
    )


def _gateway_times(inner: Body) -> Iterator[Any]:
    metadata = inner.get("rx_metadata")
    for each in metadata if isinstance(metadata, list) else ():
        if isinstance(each, dict):
            yield each.get("time")
    yield _object(inner, "settings").get("time")


def _normalized(inner: Body) -> Reading | None:
    """Return the place of the first normalized measurement that has one.

    Raises:
        Malformed: it has one coordinate without the other, or one out of range.
    """
    measurements = inner.get("normalized_payload")
    for each in measurements if isinstance(measurements, list) else (measurements,):
        place = each.get("position") if isinstance(each, dict) else None
        if isinstance(place, dict):
            found = told_place(place.get("latitude"), place.get("longitude"))
            if found is not None:
                return Reading(place=found)
    return None


DIALECT = ThingsStack()
