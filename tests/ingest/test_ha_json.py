"""Home Assistant's JSON attributes: a place without a name and a time."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from tracker.domain.device import DeviceSettings, SpeedUnit
from tracker.domain.errors import Malformed, Reason
from tracker.ingest.dialects._message import Decoded, Message
from tracker.ingest.dialects.ha_json import DIALECT

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
TOPIC = "homeassistant/device_tracker/dog/attributes"


def decoded(payload: Any, topic: str = TOPIC, **more: Any) -> Decoded:
    text = payload if isinstance(payload, str) else json.dumps(payload)
    return DIALECT.decode(Message(topic=topic, payload=text.encode(), received_at=NOW, **more))


def test_the_topic_is_the_device_and_the_time_that_of_receipt() -> None:
    body = {"longitude": 1.5, "latitude": 2, "gps_accuracy": 60, "battery_level": 99.9, "altitude": -3}
    (report,) = decoded(body | {"course": 360, "speed": 7, "source_type": "gps"}).reports
    fix = report.position
    assert report.external_id == TOPIC
    assert fix is not None
    assert (fix.recorded_at, fix.at.lat, fix.at.lon) == (NOW, 2, 1.5)
    assert (fix.accuracy_m, fix.battery_pct, fix.altitude_m, fix.course_deg) == (60, 99.9, -3, 0)
    assert fix.speed_mps is None
    assert fix.attrs == {"speed": 7, "source_type": "gps"}


def test_a_speed_has_the_unit_of_the_device_if_that_is_known() -> None:
    devices = {TOPIC: DeviceSettings(speed_unit=SpeedUnit.KMH)}
    (report,) = decoded({"longitude": 1, "latitude": 2, "speed": 36}, devices=devices).reports
    assert report.position is not None
    assert report.position.speed_mps == pytest.approx(10)
    assert report.position.attrs == {}


@pytest.mark.parametrize("accuracy", ["invalid", None, 0, -1, True, [1]])
def test_an_accuracy_that_cannot_be_right_is_unknown_and_the_point_stays(accuracy: Any) -> None:
    (report,) = decoded({"latitude": 30.0, "longitude": -100.0, "gps_accuracy": accuracy}).reports
    assert report.position is not None
    assert report.position.accuracy_m is None


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        ({"latitude": 30.0}, Reason.WRONG_SHAPE),
        ({"longitude": 30.0}, Reason.WRONG_SHAPE),
        ({"latitude": "30.0", "longitude": "-100.0"}, Reason.WRONG_SHAPE),
        ({"latitude": None, "longitude": None}, Reason.WRONG_SHAPE),
        ({"latitude": True, "longitude": 1}, Reason.WRONG_SHAPE),
        ({"latitude": 91, "longitude": 1}, Reason.OUT_OF_RANGE),
        (["list", "of", "things"], Reason.WRONG_SHAPE),
        ('{"latitude": 30.0, ', Reason.NOT_JSON),
        ("This is not JSON", Reason.NOT_JSON),
    ],
)
def test_attributes_without_a_whole_place_are_refused(payload: Any, reason: Reason) -> None:
    with pytest.raises(Malformed) as refused:
        decoded(payload)
    assert refused.value.reason == reason


@pytest.mark.parametrize("state", ["home", "not_home", "None", "Grandma's", "", "1"])
def test_a_state_says_nothing(state: str) -> None:
    assert decoded(state, "test-topic") == Decoded()


@pytest.mark.parametrize("payload", ['{"json_attributes_topic": "x"}', "", "{"])
def test_a_discovery_record_says_nothing(payload: str) -> None:
    assert decoded(payload, "homeassistant/device_tracker/dog/config") == Decoded()


@pytest.mark.parametrize("payload", [{"val": "100"}, {"latitude": 0, "longitude": 0.0}])
def test_attributes_without_a_fix_say_nothing(payload: Any) -> None:
    assert decoded(payload) == Decoded()


def test_a_replay_is_of_unknown_age_and_says_nothing() -> None:
    assert decoded({"latitude": 30.0, "longitude": -100.0}, retained=True) == Decoded()
