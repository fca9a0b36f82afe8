import json
from typing import Any

import pytest

from tests.ingest.messages import RECEIVED
from tracker.domain.device import DeviceSettings, SpeedUnit
from tracker.domain.errors import Malformed, Reason
from tracker.domain.position import Fact, Position
from tracker.ingest.dialects._message import NOTHING, Decoded, Message
from tracker.ingest.dialects.traccar_forward import DIALECT

TIME = "2026-11-21T08:30:15.000+00:00"
POSITION = {
    "protocol": "teltonika",
    "deviceTime": TIME,
    "fixTime": TIME,
    "valid": True,
    "latitude": 55.75,
    "longitude": 37.62,
}
DEVICE = {"id": 5, "uniqueId": "van-7", "phone": "+70000000000", "attributes": []}
OWN = {"": DeviceSettings()}


def decode(body: Any, topic: str = "traccar/positions", **members: Any) -> Decoded:
    payload = body if isinstance(body, bytes) else json.dumps(body).encode()
    return DIALECT.decode(Message(topic=topic, payload=payload, received_at=RECEIVED, **members))


def forwarded(attributes: Any = (), **members: Any) -> dict[str, Any]:
    return {"position": {**POSITION, "attributes": attributes, **members}, "device": DEVICE}


def position(attributes: Any = (), **members: Any) -> Position:
    (report,) = decode(forwarded(attributes, **members)).reports
    assert report.external_id == "van-7"
    assert report.position is not None
    return report.position


def fact(body: Any, topic: str = "traccar/events") -> Fact:
    (report,) = decode(body, topic).reports
    assert report.external_id == "van-7"
    assert report.position is None
    assert report.fact is not None
    return report.fact


def refusal(body: Any, topic: str = "traccar/positions") -> Reason:
    with pytest.raises(Malformed) as refused:
        decode(body, topic)
    return refused.value.reason


@pytest.mark.parametrize(
    ("members", "field", "value"),
    [
        ({"speed": 20}, "speed_mps", pytest.approx(10.288889)),
        ({"speed": -1}, "speed_mps", None),
        ({"course": 360}, "course_deg", 0),
        ({"course": -1}, "course_deg", None),
        ({"accuracy": 0.0}, "accuracy_m", None),
        ({"accuracy": 2200}, "accuracy_m", 2200),
        ({"altitude": 241}, "altitude_m", 241),
        ({"valid": None}, "attrs", {"protocol": "teltonika"}),
        ({"attributes": {"batteryLevel": 95}}, "battery_pct", 95),
        ({"attributes": {"battery": 3.97}}, "battery_pct", None),
        ({"attributes": {"battery": 3.97}}, "attrs", {"protocol": "teltonika", "battery": 3.97}),
        ({"attributes": {"sat": "13"}}, "satellites", 13),
        ({"attributes": {"sat": 13.5}}, "satellites", None),
        ({"attributes": {"hdop": 0.9}}, "hdop", 0.9),
        ({"attributes": {"ignition": False, "motion": True}}, "ignition", False),
        ({"attributes": {"ignition": False, "motion": True}}, "motion", True),
        ({"attributes": {"odometer": 5.0012345e7}}, "odometer_m", 50012345),
        ({"attributes": {"totalDistance": 99.5}}, "odometer_m", None),
        ({"attributes": {"charge": True}}, "charging", True),
        ({"attributes": "text"}, "battery_pct", None),
    ],
)
def test_a_member_is_taken_or_unknown(members: dict[str, Any], field: str, value: object) -> None:
    assert getattr(position(**members), field) == value


@pytest.mark.parametrize("written", ["2026-11-21T11:30:15.000+03:00", "2026-11-21T08:30:15.000+0000"])
def test_the_time_is_that_of_the_fix_in_any_offset(written: str) -> None:
    found = position(fixTime=written, deviceTime="2026-11-21T08:59:00Z", serverTime=None)
    assert found.recorded_at.isoformat() == "2026-11-21T08:30:15+00:00"


def test_a_position_without_the_time_of_its_fix_is_refused() -> None:
    assert refusal(forwarded(fixTime=None)) is Reason.NO_TIME


@pytest.mark.parametrize("members", [{"valid": False}, {"latitude": 0, "longitude": 0.0}])
def test_without_a_fix_the_devices_state_is_told_and_no_position(members: dict[str, Any]) -> None:
    found = fact(forwarded({"battery": 3.97, "ignition": True, "batteryLevel": 40}, **members))
    assert found.kind == "telemetry"
    assert found.data == {"battery_v": 3.97, "ignition": True, "battery_pct": 40}
    assert found.recorded_at.isoformat() == "2026-11-21T08:30:15+00:00"


def test_without_a_fix_and_without_state_nothing_is_told() -> None:
    assert decode(forwarded(valid=False)) == NOTHING


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"latitude": None}, Reason.WRONG_SHAPE),
        ({"longitude": "37.62"}, Reason.WRONG_SHAPE),
        ({"latitude": -91}, Reason.OUT_OF_RANGE),
        ({"fixTime": "1970-01-01T00:00:00Z"}, Reason.TIME_BEFORE_2000),
        ({"fixTime": "2026-11-21T09:30:00Z"}, Reason.TIME_IN_FUTURE),
    ],
)
def test_what_cannot_be_true_is_refused(members: dict[str, Any], reason: Reason) -> None:
    assert refusal(forwarded(**members)) is reason


def test_cells_and_access_points_are_kept_apart_from_the_attributes() -> None:
    tower = {"mobileCountryCode": 250, "mobileNetworkCode": 1, "locationAreaCode": 7, "cellId": 9}
    point = {"macAddress": "AA-BB-CC-00-11-22", "signalStrength": -70}
    found = position(network={"cellTowers": [tower, 3], "wifiAccessPoints": [point, {}]})
    cell = {"mcc": 250, "mnc": 1, "lac": 7, "cid": 9}
    assert found.network == {
        **cell,
        "cells": [cell],
        "wifi": [{"bssid": "aa:bb:cc:00:11:22", "signal": -70}],
    }


def test_the_bridges_topic_tells_the_device_before_the_body() -> None:
    body = {**forwarded(), "device": {"uniqueId": "other"}}
    assert decode(body, "_traccar/van-7/position").reports[0].external_id == "van-7"
    assert decode(body, "traccar/positions").reports[0].external_id == "other"


def test_a_position_of_no_device_is_taken_only_from_one_that_speaks_for_itself() -> None:
    assert refusal({**POSITION, "deviceId": 1}) is Reason.NO_IDENTITY
    assert refusal({"position": POSITION, "device": {"id": 1}}) is Reason.NO_IDENTITY
    (report,) = decode({**POSITION, "deviceId": 1}, devices=OWN).reports
    assert (report.external_id, report.position is not None) == (None, True)


def test_the_devices_own_unit_of_speed_is_heeded() -> None:
    (report,) = decode(
        forwarded(speed=36), devices={"van-7": DeviceSettings(speed_unit=SpeedUnit.KMH)}
    ).reports
    assert report.position is not None
    assert report.position.speed_mps == pytest.approx(10)


@pytest.mark.parametrize(("kind", "online"), [("deviceOnline", True), ("deviceOffline", False)])
def test_connections_are_presence(kind: str, online: bool) -> None:
    body = {"event": {"type": kind, "serverTime": TIME}, "device": DEVICE, "users": [{"email": "x"}]}
    found = fact(body)
    assert (found.kind, found.data) == ("presence", {"online": online})
    assert decode(body, retained=True) == NOTHING


def test_a_crossing_is_a_transition_with_its_place_and_no_position() -> None:
    body = {
        **forwarded(accuracy=5),
        "event": {"type": "geofenceExit", "eventTime": TIME, "geofenceId": 7},
        "geofence": {"name": "depot"},
    }
    found = fact(body)
    assert found.kind == "transition"
    assert found.data == {"event": "leave", "name": "depot", "lat": 55.75, "lon": 37.62, "accuracy_m": 5}


def test_other_events_are_told_with_their_attributes_and_never_with_people() -> None:
    body = {
        **forwarded(),
        "event": {"type": "alarm", "eventTime": TIME, "attributes": {"alarm": "sos"}},
        "users": [{"email": "someone@example.org"}],
    }
    found = fact(body)
    assert (found.kind, found.data) == ("event", {"type": "alarm", "alarm": "sos"})


def test_two_events_of_one_moment_are_two() -> None:
    first, second = (
        fact({"event": {"type": kind, "eventTime": TIME}, "device": DEVICE})
        for kind in ("ignitionOn", "deviceMoving")
    )
    assert first.recorded_at != second.recorded_at


def test_an_event_without_a_type_or_device_is_refused() -> None:
    assert refusal({"event": {}, "device": DEVICE}) is Reason.WRONG_SHAPE
    assert refusal({"event": {"type": "alarm"}, "device": {}}) is Reason.NO_IDENTITY


@pytest.mark.parametrize("body", [b"", {}, {"device": DEVICE}, {"position": None, "device": DEVICE}])
def test_what_tells_nothing_is_ignored(body: Any) -> None:
    assert decode(body) == NOTHING


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"traccar/positions", Reason.NOT_JSON),
        (b"[]", Reason.WRONG_SHAPE),
        (b"[" + b" " * 70_000 + b"]", Reason.TOO_LARGE),
    ],
)
def test_what_is_no_forward_is_refused(payload: bytes, reason: Reason) -> None:
    assert refusal(payload) is reason
