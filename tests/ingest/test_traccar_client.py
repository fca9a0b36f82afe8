import json
from typing import Any

import pytest

from tests.ingest.messages import RECEIVED
from tracker.domain.device import DeviceSettings, SpeedUnit
from tracker.domain.errors import Malformed, Reason
from tracker.domain.position import Position
from tracker.ingest.dialects._message import NOTHING, Decoded, Message
from tracker.ingest.dialects.traccar_client import DIALECT

TIME = "2026-11-21T08:30:15.862Z"
COORDS = {"latitude": 55.75, "longitude": 37.62}
LOCATION = {"timestamp": TIME, "coords": COORDS}
OWN = {"": DeviceSettings()}


def decode(body: Any, **members: Any) -> Decoded:
    payload = body if isinstance(body, bytes) else json.dumps(body).encode()
    return DIALECT.decode(Message(topic="", payload=payload, received_at=RECEIVED, **members))


def request(coords: Any = COORDS, **members: Any) -> dict[str, Any]:
    return {"location": {**LOCATION, "coords": coords, **members}, "device_id": "4824"}


def position(body: Any, **members: Any) -> Position:
    (report,) = decode(body, **members).reports
    assert report.external_id == "4824"
    assert report.position is not None
    return report.position


def refusal(body: Any) -> Reason:
    with pytest.raises(Malformed) as refused:
        decode(body)
    return refused.value.reason


@pytest.mark.parametrize(
    ("coords", "field", "value"),
    [
        ({"speed": 18.67}, "speed_mps", 18.67),
        ({"speed": -1}, "speed_mps", None),
        ({"heading": 63}, "course_deg", 63),
        ({"heading": -1}, "course_deg", None),
        ({"accuracy": 3.8}, "accuracy_m", 3.8),
        ({"accuracy": -1}, "accuracy_m", None),
        ({"altitude": 35.7}, "altitude_m", 35.7),
        ({"altitude_accuracy": -1, "speed_accuracy": 0.26}, "attrs", {"speed_accuracy": 0.26}),
        ({"ellipsoidal_altitude": 9, "floor": None}, "attrs", {"ellipsoidal_altitude": 9}),
    ],
)
def test_a_coordinate_is_taken_or_unknown(coords: dict[str, Any], field: str, value: object) -> None:
    assert getattr(position(request({**COORDS, **coords})), field) == value


@pytest.mark.parametrize(
    ("members", "field", "value"),
    [
        ({"battery": {"level": 0.79, "is_charging": False}}, "battery_pct", 79),
        ({"battery": {"level": 0.79, "is_charging": False}}, "charging", False),
        ({"battery": {"level": -1}}, "battery_pct", None),
        ({"battery": {"level": True}}, "battery_pct", None),
        ({"battery": None}, "battery_pct", None),
        ({"is_moving": False}, "motion", False),
        ({"odometer": 1200.5}, "odometer_m", 1200.5),
        ({"event": "motionchange"}, "trigger", "motionchange"),
        ({"event": 7}, "trigger", None),
        ({"activity": {"type": "still", "confidence": 100}}, "attrs", {"activity": "still"}),
        ({"mock": True, "age": 188, "alarm": "sos"}, "attrs", {"mock": True, "age": 188, "alarm": "sos"}),
        ({"extras": {"own": 12, "uuid": "theirs"}, "uuid": "ours"}, "attrs", {"own": 12, "uuid": "ours"}),
    ],
)
def test_a_member_is_taken_or_unknown(members: dict[str, Any], field: str, value: object) -> None:
    found = getattr(position(request(**members)), field)
    assert {name: found[name] for name in value} == value if isinstance(value, dict) else found == value


def test_what_the_library_adds_for_itself_is_dropped() -> None:
    assert position(request(_="&id=4824&lat=55.75", extras={})).attrs == {}


def test_members_may_lie_flat_and_beside_the_location() -> None:
    flat = {**COORDS, "timestamp": TIME, "speed": 1.4, "is_moving": True}
    found = position(
        {
            "device_id": "4824",
            "location": flat,
            "battery": {"level": 0.85, "is_charging": True},
            "activity": {"type": "walking"},
        }
    )
    assert (found.speed_mps, found.motion, found.battery_pct, found.charging) == (1.4, True, 85, True)
    assert found.attrs == {"activity": "walking"}


def test_of_several_locations_the_good_ones_are_taken() -> None:
    decoded = decode({"device_id": "4824", "location": [LOCATION, {**LOCATION, "timestamp": "never"}, 7]})
    assert [each.external_id for each in decoded.reports] == ["4824"]
    assert [each.reason for each in decoded.problems] == [Reason.NO_TIME, Reason.WRONG_SHAPE]


def test_a_heartbeat_tells_the_devices_state() -> None:
    beat = {"timestamp": TIME, "event": "heartbeat", "battery": {"level": 0.5}, "is_moving": False}
    (report,) = decode({"device_id": 4824, "location": beat}).reports
    assert (report.external_id, report.position) == ("4824", None)
    assert report.fact is not None
    assert (report.fact.kind, report.fact.data) == ("telemetry", {"battery_pct": 50, "motion": False})
    assert decode({"device_id": 4824, "location": {"timestamp": TIME}}) == NOTHING


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"location": LOCATION}, Reason.NO_IDENTITY),
        (request(timestamp="not-a-date"), Reason.NO_TIME),
        (request(timestamp=None), Reason.NO_TIME),
        (request({"latitude": 55.75}), Reason.WRONG_SHAPE),
        (request({"latitude": "55.75", "longitude": 37.62}), Reason.WRONG_SHAPE),
        (request({"latitude": True, "longitude": 37.62}), Reason.WRONG_SHAPE),
        (request({"latitude": 95, "longitude": 37.62}), Reason.OUT_OF_RANGE),
        (request({}), Reason.WRONG_SHAPE),
        (request([]), Reason.WRONG_SHAPE),
        ({"device_id": "7", "location": "here"}, Reason.WRONG_SHAPE),
        (b'{"location":', Reason.NOT_JSON),
    ],
)
def test_what_cannot_be_true_is_refused(body: Any, reason: Reason) -> None:
    assert refusal(body) is reason


def test_0_0_is_no_position() -> None:
    assert decode(request({"latitude": 0, "longitude": 0})) == NOTHING


def test_one_that_speaks_for_itself_needs_no_id() -> None:
    (report,) = decode({"location": LOCATION}, devices=OWN).reports
    assert (report.external_id, report.position is not None) == (None, True)


def test_the_devices_own_unit_of_speed_is_heeded() -> None:
    devices = {"4824": DeviceSettings(speed_unit=SpeedUnit.KMH)}
    assert position(request({**COORDS, "speed": 36}), devices=devices).speed_mps == pytest.approx(10)


def test_what_older_versions_of_the_app_send_is_read_too() -> None:
    assert position(b"", query="id=4824&lat=55.75&lon=37.62&speed=10").speed_mps == pytest.approx(5.144444)
    assert position(b"id=4824&lat=55.75&lon=37.62").at.lat == 55.75


def test_what_is_said_to_be_json_is_read_as_that() -> None:
    with pytest.raises(Malformed) as refused:
        decode(b"id=4824", headers={"content-type": "application/json; charset=utf-8"})
    assert refused.value.reason is Reason.NOT_JSON
