"""What a Traccar server forwards (`forward.type=mqtt`), and the bridge from-traccar: any device behind it.

Format: Traccar's PositionData and EventData, JSON. Speeds are knots; `battery` and `power` are volts. The
device is `device.uniqueId`: `deviceId` is a number of that server. `users` of old servers are never kept.
"""

from collections.abc import Mapping
from typing import Any

from tracker.domain.device import SpeedUnit
from tracker.domain.errors import Malformed, Reason
from tracker.domain.position import Fact, Position, Report
from tracker.ingest.dialects._fields import (
    PAYLOAD_BYTES,
    course_deg,
    extras,
    fact_time,
    fix_time,
    identity,
    known,
    number,
    own_or_named,
    place,
    scaled,
    speed_mps,
    telemetry,
    text,
    told_apart,
    truth,
    whole,
)
from tracker.ingest.dialects._message import NOTHING, Decoded, Message, one
from tracker.ingest.dialects._network import access_point, cell, surroundings
from tracker.ingest.dialects._values import from_json

Body = Mapping[str, Any]

_COLUMNS = frozenset({"batteryLevel", "ignition", "motion", "sat", "hdop", "odometer"})
_PRESENCE = {"deviceOnline": True, "deviceOffline": False}
_CROSSINGS = {"geofenceEnter": "enter", "geofenceExit": "leave"}


class TraccarForward:
    """The dialect of Traccar's position and event forwarding."""

    name = "traccar_forward"
    root = None
    topics = (
        *("positions", "events", "traccar/positions", "traccar/events"),
        *("_traccar/+/position", "_traccar/+/event/+"),
    )

    def decode(self, message: Message) -> Decoded:
        """Return what a message says; an empty one and one of neither kind say nothing.

        Raises:
            Malformed: it cannot be read or cannot be true, or does not say which device it is from.
        """
        if not message.payload.strip():
            return NOTHING
        body = from_json(message.payload, PAYLOAD_BYTES)
        if not isinstance(body, dict):
            raise Malformed(Reason.WRONG_SHAPE, "not an object")
        if isinstance(body.get("event"), dict):
            return _event(body, message)
        if isinstance(body.get("position"), dict):
            return _position(body["position"], _whose(body, message), message)
        # Old servers forward a bare position: of use only from a device that speaks for itself.
        return _position(body, _whose(body, message), message) if "latitude" in body else NOTHING


def _whose(body: Body, message: Message) -> str | None:
    match message.topic.strip("/").split("/"):
        case ["_traccar", unique_id, "position"] | ["_traccar", unique_id, "event", _]:
            named = identity(unique_id)
        case _:
            named = identity(_object(body, "device").get("uniqueId"))
    return own_or_named(named, message)


def _object(body: Body, name: str) -> Body:
    # PHP and old servers write an empty object as [].
    value = body.get(name)
    return value if isinstance(value, dict) else {}


def _position(body: Body, external_id: str | None, message: Message) -> Decoded:
    found = _object(body, "attributes")
    # Without a fix the server repeats the last place, or 0, 0.
    at = place(body.get("latitude"), body.get("longitude")) if truth(body.get("valid")) is not False else None
    if at is None:
        return telemetry(external_id, fact_time(body.get("deviceTime"), message.received_at), _state(found))
    unit = message.settings_of(external_id).speed_unit or SpeedUnit.KNOTS
    return one(
        Report(
            external_id=external_id,
            position=Position(
                recorded_at=fix_time(body.get("fixTime"), message.received_at),
                at=at,
                accuracy_m=scaled(number(body, "accuracy", high=1e7), 1) or None,
                altitude_m=number(body, "altitude", low=-12_000, high=1e6),
                speed_mps=speed_mps(number(body, "speed"), unit),
                course_deg=course_deg(number(body, "course")),
                battery_pct=number(found, "batteryLevel", low=0, high=100, strings=True),
                charging=truth(found.get("charge")),
                ignition=truth(found.get("ignition")),
                motion=truth(found.get("motion")),
                satellites=whole(found, "sat", low=0, high=1000, strings=True),
                hdop=number(found, "hdop", low=0, high=1000, strings=True),
                odometer_m=number(found, "odometer", low=0, high=1e12, strings=True),
                network=_network(_object(body, "network")),
                attrs=_attrs(body, found),
            ),
        )
    )


def _attrs(body: Body, found: Body) -> dict[str, Any]:
    around = {name: body.get(name) for name in ("protocol", "address", "geofenceIds")}
    return extras({**around, **found}, _COLUMNS)


def _state(found: Body) -> dict[str, Any]:
    return known(
        battery_pct=number(found, "batteryLevel", low=0, high=100, strings=True),
        battery_v=number(found, "battery", low=0, high=1e4, strings=True),
        power_v=number(found, "power", low=0, high=1e4, strings=True),
        charging=truth(found.get("charge")),
        ignition=truth(found.get("ignition")),
        motion=truth(found.get("motion")),
        odometer_m=number(found, "odometer", low=0, high=1e12, strings=True),
        alarm=text(found, "alarm", longest=64),
    )


def _network(body: Body) -> dict[str, Any]:
    """Return the cells and access points of Traccar's Network object."""
    names = ("mobileCountryCode", "mobileNetworkCode", "locationAreaCode", "cellId", "signalStrength")
    return surroundings(
        (cell(*(tower.get(name) for name in names)) for tower in _objects(body, "cellTowers")),
        (
            access_point(point.get("macAddress"), point.get("signalStrength"))
            for point in _objects(body, "wifiAccessPoints")
        ),
    )


def _objects(body: Body, name: str) -> list[Body]:
    listed = body.get(name)
    return [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []


def _event(body: Body, message: Message) -> Decoded:
    event = body["event"]
    kind = text(event, "type", longest=64)
    if kind is None:
        raise Malformed(Reason.WRONG_SHAPE, "event.type")
    external_id = _whose(body, message)
    told = event.get("eventTime") or event.get("serverTime")
    moment = fact_time(told, message.received_at)
    if kind in _PRESENCE:
        if message.retained:
            return NOTHING
        fact = Fact(kind="presence", recorded_at=moment, data={"online": _PRESENCE[kind]})
        return one(Report(external_id=external_id, fact=fact))
    geofence = text(_object(body, "geofence"), "name", longest=200)
    if kind in _CROSSINGS:
        name, data = "transition", _crossing(_CROSSINGS[kind], geofence, body)
    else:
        name, data = "event", {**extras(_object(event, "attributes")), "type": kind} | known(name=geofence)
    recorded_at = told_apart(moment, data, step_us=1000)
    return one(Report(external_id=external_id, fact=Fact(kind=name, recorded_at=recorded_at, data=data)))


def _crossing(direction: str, geofence: str | None, body: Body) -> dict[str, Any]:
    # The position beside an event was forwarded on its own before.
    position = _object(body, "position")
    return known(
        event=direction,
        name=geofence,
        lat=number(position, "latitude", low=-90, high=90),
        lon=number(position, "longitude", low=-180, high=180),
        accuracy_m=scaled(number(position, "accuracy", high=1e7), 1) or None,
    )


DIALECT = TraccarForward()
