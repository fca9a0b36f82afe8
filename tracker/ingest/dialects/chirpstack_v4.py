"""ChirpStack v4 and v3, JSON over MQTT or HTTP: LoRaWAN trackers (chirpstack-docs, integrations).

`rxInfo[].location` is a gateway's place, never the tracker's. v3 writes the EUI in base64 or hex, the decoded
object as text in `objectJSON`, and has no time of its own.
"""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qs

from tracker.domain.errors import Malformed, Reason
from tracker.domain.position import Fact, Report
from tracker.ingest.codecs._reading import first, first_number
from tracker.ingest.dialects._claimed import claimed
from tracker.ingest.dialects._fields import PAYLOAD_BYTES, known, truth
from tracker.ingest.dialects._lorawan import (
    Uplink,
    base64_bytes,
    event,
    fact_moment,
    heard,
    port_of,
    solved,
    uplink,
)
from tracker.ingest.dialects._message import NOTHING, Decoded, Message, one
from tracker.ingest.dialects._values import check_size, from_json

Body = Mapping[str, Any]

EUI_DIGITS = 16
READ = frozenset({"up", "rx", "status", "join", "ack", "location"})


class ChirpStack:
    """The dialect of ChirpStack."""

    name = "chirpstack_v4"
    root = None
    topics = tuple(
        f"application/+/device/+/event/{kind}" for kind in ("up", "status", "join", "ack", "location")
    )

    def decode(self, message: Message) -> Decoded:
        """Return what a message says; log, txack, integration events and commands say nothing.

        Raises:
            Malformed: it cannot be read (also protocol buffers in place of JSON) or cannot be true.
        """
        check_size(message.payload, PAYLOAD_BYTES)
        levels = message.topic.strip("/").split("/")
        kind = _kind(levels, message.query)
        if not message.payload or (kind is not None and kind not in READ) or "command" in levels[4:5]:
            return NOTHING
        body = from_json(message.payload, PAYLOAD_BYTES)
        if not isinstance(body, dict):
            raise Malformed(Reason.WRONG_SHAPE, "not an object")
        kind = kind or _guessed(body)
        if kind is None:
            return NOTHING
        info = _object(body, "deviceInfo")
        told = first(info, ("devEui", "devEUI")) or first(body, ("devEUI", "devEui"))
        device = claimed(_eui(_device_level(levels)), _eui(told), message)
        server = (body.get("time"), body.get("publishedAt"))
        if kind in ("up", "rx"):
            return _uplink(device, body, message)
        if kind == "location":
            place = solved(body.get("location"))
            found = Uplink(
                external_id=device,
                fields=None,
                payload=None,
                port=0,
                heard_at=heard((), server),
                solved=place,
            )
            return uplink(found, message)
        if kind == "status":
            return _status(device, body, message)
        return event(device, "join" if kind == "join" else _answer(body), heard((), server), message)


def _kind(levels: list[str], query: str) -> str | None:
    """Return the event that the topic, or over HTTP the question mark, names."""
    if len(levels) > 4 and levels[0] == "application":
        return levels[-1]
    return next(iter(parse_qs(query).get("event", ())), None)


def _guessed(body: Body) -> str | None:
    if {"object", "objectJSON", "fPort", "data"} & body.keys():
        return "up"
    return next((kind for kind in ("location",) if isinstance(body.get(kind), dict)), None)


def _device_level(levels: list[str]) -> str | None:
    return levels[3] if len(levels) > 3 and levels[0] == "application" and levels[2] == "device" else None


def _eui(value: Any) -> str | None:
    """Return an EUI in lower-case hex, also one of eight bytes in base64."""
    if not isinstance(value, str) or not value:
        return None
    raw = base64_bytes(value) if len(value) != EUI_DIGITS else None
    return raw.hex() if raw is not None and len(raw) == EUI_DIGITS // 2 else value.lower()


def _object(body: Body, name: str) -> Body:
    value = body.get(name)
    return value if isinstance(value, dict) else {}


def _uplink(device: str | None, body: Body, message: Message) -> Decoded:
    return uplink(
        Uplink(
            external_id=device,
            fields=_fields(body),
            payload=base64_bytes(body.get("data")),
            port=port_of(body.get("fPort")),
            heard_at=heard((body.get("time"), *_gateway_times(body)), (body.get("publishedAt"),)),
        ),
        message,
    )


def _fields(body: Body) -> Body | None:
    """Return the decoded object.

    Raises:
        Malformed: v3's text is no JSON.
    """
    value = body.get("object")
    text = body.get("objectJSON")
    if value is None and isinstance(text, str) and text:
        value = from_json(text.encode("utf-8", "surrogatepass"), PAYLOAD_BYTES)
    return value if isinstance(value, dict) else None


def _gateway_times(body: Body) -> Iterator[Any]:
    listed = body.get("rxInfo")
    gateways = [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
    for name in ("gwTime", "time", "nsTime"):
        yield from (each.get(name) for each in gateways)


def _status(device: str | None, body: Body, message: Message) -> Decoded:
    unknown = truth(body.get("batteryLevelUnavailable"))
    data = known(
        battery_pct=None if unknown else first_number(body, ("batteryLevel",), low=0, high=100),
        charging=truth(body.get("externalPowerSource")),
        margin_db=first_number(body, ("margin",), low=-64, high=64),
    )
    if not data:
        return NOTHING
    moment = fact_moment(heard((), (body.get("time"), body.get("publishedAt"))), message)
    return one(Report(external_id=device, fact=Fact(kind="telemetry", recorded_at=moment, data=data)))


def _answer(body: Body) -> str:
    return "downlink_ack" if body.get("acknowledged") is not False else "downlink_nack"


DIALECT = ChirpStack()
