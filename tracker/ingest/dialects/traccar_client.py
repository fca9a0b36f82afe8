"""Traccar Client from version 9 on, over HTTP: JSON as its location library writes it.

Speeds are m/s, battery levels fractions, and -1 is unknown. Older versions of the app send the OsmAnd
protocol to the same address; that is read too. Format: Traccar's OsmAndProtocolDecoder, transistorsoft's
background geolocation; one location, several (batchSync), or members without `coords`.
"""

from collections.abc import Mapping
from typing import Any

from tracker.domain.device import SpeedUnit
from tracker.domain.errors import Malformed, Reason
from tracker.domain.position import Position, Report
from tracker.ingest.dialects._fields import (
    PAYLOAD_BYTES,
    collected,
    course_deg,
    extras,
    fact_time,
    fix_time,
    identity,
    known,
    number,
    own_or_named,
    percent_of,
    place,
    scaled,
    speed_mps,
    telemetry,
    text,
    truth,
)
from tracker.ingest.dialects._message import NOTHING, Decoded, Message, one
from tracker.ingest.dialects._values import check_size, from_json
from tracker.ingest.dialects.osmand import DIALECT as OSMAND

Body = Mapping[str, Any]

_COLUMNS = frozenset(
    (
        *("latitude", "longitude", "accuracy", "speed", "heading", "altitude", "coords", "timestamp"),
        *("is_moving", "odometer", "event", "battery", "activity", "extras", "_"),
        *("device_id", "location"),
    )
)
_ACCURACIES = frozenset({"speed_accuracy", "heading_accuracy", "altitude_accuracy"})


class TraccarClient:
    """The dialect of the Traccar Client app; nothing of it goes over MQTT."""

    name = "traccar_client"
    root = None
    topics: tuple[str, ...] = ()

    def decode(self, message: Message) -> Decoded:
        """Return what a request says: of several locations the good ones beside the refused.

        A heartbeat without coordinates tells the device's state.

        Raises:
            Malformed: nothing of it can be used, or it does not say which device it is from.
        """
        check_size(message.payload, PAYLOAD_BYTES)
        is_json = "json" in message.headers.get("content-type", "").lower()
        if not message.payload or not (is_json or message.payload.lstrip()[:1] in (b"{", b"[")):
            return OSMAND.decode(message)
        body = from_json(message.payload, PAYLOAD_BYTES)
        if isinstance(body, list):
            return collected(body, lambda each: _request(each, message))
        return _request(body, message)


def _request(body: Any, message: Message) -> Decoded:
    if not isinstance(body, dict):
        raise Malformed(Reason.WRONG_SHAPE, "not an object")
    external_id = own_or_named(identity(body.get("device_id")), message)
    located = body.get("location")
    if located is None:
        if "coords" not in body and "latitude" not in body:
            return NOTHING
        located = body
    if isinstance(located, list):
        return collected(located, lambda each: _location(each, body, external_id, message))
    return _location(located, body, external_id, message)


def _location(body: Any, request: Body, external_id: str | None, message: Message) -> Decoded:
    if not isinstance(body, dict):
        raise Malformed(Reason.WRONG_SHAPE, "location")
    coords = _coords(body)
    state = _state(body, request)
    at = place(coords.get("latitude"), coords.get("longitude")) if coords else None
    if at is None:
        return telemetry(external_id, fact_time(body.get("timestamp"), message.received_at), state)
    unit = message.settings_of(external_id).speed_unit or SpeedUnit.MPS
    return one(
        Report(
            external_id=external_id,
            position=Position(
                recorded_at=fix_time(body.get("timestamp"), message.received_at),
                at=at,
                accuracy_m=scaled(number(coords, "accuracy", high=1e7), 1) or None,
                altitude_m=number(coords, "altitude", low=-12_000, high=1e6),
                speed_mps=speed_mps(number(coords, "speed"), unit),
                course_deg=course_deg(number(coords, "heading")),
                trigger=text(body, "event", longest=64),
                attrs=_attrs(coords, body, request),
                **state,
            ),
        )
    )


def _coords(body: Body) -> Body:
    """Return the object with the coordinates; empty on a heartbeat without any."""
    coords = body.get("coords")
    if coords is None:
        return body if "latitude" in body or "longitude" in body else {}
    if not isinstance(coords, dict) or not coords:
        raise Malformed(Reason.WRONG_SHAPE, "coords")
    return coords


def _object(body: Body, request: Body, name: str) -> Body:
    """Return an object of the location, or of the request around it, where some versions write it."""
    value = body.get(name, request.get(name))
    return value if isinstance(value, dict) else {}


def _state(body: Body, request: Body) -> dict[str, Any]:
    battery = _object(body, request, "battery")
    return known(
        battery_pct=percent_of(number(battery, "level")),
        charging=truth(battery.get("is_charging")),
        motion=truth(body.get("is_moving")),
        odometer_m=number(body, "odometer", low=0, high=1e12),
    )


def _attrs(coords: Body, body: Body, request: Body) -> dict[str, Any]:
    activity = _object(body, request, "activity")
    told = {name: value for name, value in {**body, **coords}.items() if name not in _COLUMNS}
    # The accuracies are -1 if the phone does not know them.
    told |= {name: number(told, name, low=0) for name in _ACCURACIES if name in told}
    told |= {"activity": activity.get("type"), "activity_confidence": activity.get("confidence")}
    own = {name: value for name, value in told.items() if value is not None}
    return extras({**_object(body, request, "extras"), **own})


DIALECT = TraccarClient()
