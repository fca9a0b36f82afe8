"""GeoJSON features: Overland, GPSLogger, exports."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from tracker.domain.device import DeviceSettings, SpeedUnit
from tracker.domain.errors import Malformed, Reason
from tracker.domain.position import Position
from tracker.ingest.dialects._message import Decoded, Message
from tracker.ingest.dialects.geojson import DIALECT

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
AT = "2026-11-21T08:00:00Z"
TOPIC = "tracker/phone1/geojson"


def feature(coordinates: Any = (-0.127758, 51.507351), **properties: Any) -> dict[str, Any]:
    point = {"type": "Point", "coordinates": coordinates}
    return {"type": "Feature", "geometry": point, "properties": {"timestamp": AT} | properties}


def decoded(body: Any, topic: str = "", **more: Any) -> Decoded:
    payload = body if isinstance(body, str) else json.dumps(body)
    return DIALECT.decode(Message(topic=topic, payload=payload.encode(), received_at=NOW, **more))


def position(coordinates: Any = (-0.127758, 51.507351), **properties: Any) -> Position:
    (report,) = decoded(feature(coordinates, **properties)).reports
    assert report.position is not None
    return report.position


@pytest.mark.parametrize(
    "body",
    [
        feature(),
        {"locations": [feature()], "current": {}, "trip": {}},
        {"type": "FeatureCollection", "features": [feature()]},
        {"locations": feature()},
        [feature()],
    ],
)
def test_every_form_holds_its_features(body: Any) -> None:
    (report,) = decoded(body).reports
    assert report.position is not None
    assert (report.position.at.lat, report.position.at.lon) == (51.507351, -0.127758)
    assert report.position.recorded_at == datetime(2026, 11, 21, 8, tzinfo=UTC)


def test_members_of_overland() -> None:
    fix = position(
        (1, 2, 35.2),
        speed=4,
        course=361 - 1,
        horizontal_accuracy=30,
        vertical_accuracy=-1,
        battery_level=0.29,
        battery_state="charging",
        motion=["driving"],
        wifi="launchpad",
        action="visit",
        device_id="iphone",
    )
    assert (fix.speed_mps, fix.course_deg, fix.accuracy_m, fix.altitude_m) == (4, 0, 30, 35.2)
    assert (fix.battery_pct, fix.charging, fix.motion, fix.trigger) == (29, True, True, "visit")
    assert fix.network == {"type": "wifi", "ssid": "launchpad"}
    assert fix.attrs == {"vertical_accuracy": -1, "motion": ["driving"]}


def test_minus_one_is_unknown() -> None:
    fix = position(speed=-1, course=-1, horizontal_accuracy=-1, battery_level=-1, battery_state="unknown")
    assert (fix.speed_mps, fix.course_deg, fix.accuracy_m) == (None, None, None)
    assert (fix.battery_pct, fix.charging, fix.altitude_m) == (None, None, None)


@pytest.mark.parametrize(
    ("properties", "name", "value"),
    [
        ({"acc": 5}, "accuracy_m", 5),
        ({"accuracy": "5.5"}, "accuracy_m", 5.5),
        ({"precision": 7}, "accuracy_m", 7),
        ({"horizontal_accuracy": -1, "accuracy": 9}, "accuracy_m", 9),
        ({"bearing": 12}, "course_deg", 12),
        ({"cog": 13}, "course_deg", 13),
        ({"batt": 1}, "battery_pct", 1),
        ({"bat": 55}, "battery_pct", 55),
        ({"battery_level": 1}, "battery_pct", 100),
        ({"battery_level": 55}, "battery_pct", 55),
        ({"speed_kmh": 36}, "speed_mps", 10),
        ({"altitude": 0}, "altitude_m", 0),
        ({"motion": ["driving", "stationary"]}, "motion", None),
        ({"motion": ["stationary"]}, "motion", False),
        ({"battery_state": "unplugged"}, "charging", False),
        ({"battery_state": "full"}, "charging", True),
        ({"battery_status": "unplugged"}, "charging", False),
    ],
)
def test_members_go_by_many_names(properties: dict[str, Any], name: str, value: Any) -> None:
    found = getattr(position(**properties), name)
    assert found == (value if value is None else pytest.approx(value))


@pytest.mark.parametrize(
    "told",
    [
        {"timestamp": "2026-11-21T01:00:00-0700"},
        {"timestamp": 1795248000},
        {"timestamp": None, "time": "2026-11-21T15:00:00.000+07:00"},
        {"timestamp": "", "datetime": "2026-11-21 08:00:00"},
        {"timestamp": None, "recorded_at": 1795248000000},
        {"timestamp": None, "when": "2026-11-21T08:00:00"},
    ],
)
def test_times_are_written_in_many_ways(told: dict[str, Any]) -> None:
    assert position(**told).recorded_at == datetime(2026, 11, 21, 8, tzinfo=UTC)


def test_coordinates_may_be_texts() -> None:
    fix = position(["-0.5", "51.5", "12"])
    assert (fix.at.lat, fix.at.lon, fix.altitude_m) == (51.5, -0.5, 12)


def test_a_device_has_its_own_unit_of_speed() -> None:
    settings = {"phone1": DeviceSettings(speed_unit=SpeedUnit.KMH)}
    (report,) = decoded(feature(speed=36), TOPIC, devices=settings).reports
    assert report.position is not None
    assert report.position.speed_mps == pytest.approx(10)


@pytest.mark.parametrize(
    ("topic", "properties", "device"),
    [
        (TOPIC, {"device_id": "other"}, "phone1"),
        ("", {"device_id": "iphone"}, "iphone"),
        ("", {"device_id": "", "deviceId": 17}, "17"),
        ("", {"tid": "ab"}, "ab"),
        ("", {}, None),
    ],
)
def test_the_topic_names_the_device_before_the_body_does(
    topic: str, properties: dict[str, Any], device: str | None
) -> None:
    assert [report.external_id for report in decoded(feature(**properties), topic).reports] == [device]


@pytest.mark.parametrize(
    "body",
    [
        "",
        {"locations": []},
        {"type": "Feature", "geometry": None, "properties": {"timestamp": AT, "action": "will_terminate"}},
        {"type": "Feature", "properties": {"timestamp": AT}},
        {"type": "Feature", "geometry": {"type": "LineString", "coordinates": [[1, 2], [3, 4]]}},
        feature((0, 0.0)),
    ],
)
def test_what_has_no_place_says_nothing(body: Any) -> None:
    assert decoded(body) == Decoded()


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (feature(timestamp=None), Reason.NO_TIME),
        (feature(timestamp="yesterday"), Reason.NO_TIME),
        (feature(timestamp="1999-01-01T00:00:00Z"), Reason.TIME_BEFORE_2000),
        (feature(timestamp="2027-01-01T00:00:00Z"), Reason.TIME_IN_FUTURE),
        (feature((51.5,)), Reason.WRONG_SHAPE),
        (feature((1, None)), Reason.WRONG_SHAPE),
        (feature((1, 91)), Reason.OUT_OF_RANGE),
        ({"type": "Point", "coordinates": [1, 2]}, Reason.WRONG_SHAPE),
        ({"hello": "world"}, Reason.WRONG_SHAPE),
        ("{", Reason.NOT_JSON),
    ],
)
def test_what_cannot_be_true_is_refused(body: Any, reason: Reason) -> None:
    with pytest.raises(Malformed) as refused:
        decoded(body)
    assert refused.value.reason == reason


def test_a_refused_feature_does_not_take_the_good_ones_with_it() -> None:
    found = decoded({"locations": [feature(), feature((1, 91)), 7, feature((3, 4))]})
    assert len(found.reports) == 2
    assert [each.reason for each in found.problems] == [Reason.OUT_OF_RANGE, Reason.WRONG_SHAPE]
