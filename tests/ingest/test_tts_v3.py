import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tracker.domain.device import DeviceSettings, SpeedUnit
from tracker.domain.errors import Malformed, Reason
from tracker.domain.position import Fact, Position
from tracker.ingest.dialects._message import NOTHING, Decoded, Message
from tracker.ingest.dialects.tts_v3 import DIALECT

NOW = datetime(2023, 5, 18, 8, 25, 27, tzinfo=UTC)
HEARD = datetime(2023, 5, 18, 8, 25, 25, 885310, UTC)
TOPIC = "v3/app@tenant/devices/collar-1/up"
FIX = {"latitude": 48.1, "longitude": 11.5}
GATEWAY = {
    "time": "2023-05-18T08:25:25.885310123Z",
    "location": {"latitude": 1.0, "longitude": 2.0, "source": "SOURCE_REGISTRY"},
}
REGISTERED = {"user": {"latitude": 3.0, "longitude": 4.0, "source": "SOURCE_REGISTRY"}}
DEVICES: dict[str, DeviceSettings] = {}


def uplink(decoded: Any = None, **members: Any) -> dict[str, Any]:
    return {
        "end_device_ids": {"device_id": "collar-1", "dev_eui": "1000000000000001"},
        "received_at": "2023-05-18T08:25:26.112483370Z",
        "uplink_message": {
            "f_port": 2,
            "decoded_payload": decoded,
            "rx_metadata": [GATEWAY],
            "locations": REGISTERED,
            "received_at": "2023-05-18T08:25:25.906399073Z",
            "settings": {},
            **members,
        },
    }


def decode(
    body: Any, topic: str = TOPIC, devices: dict[str, DeviceSettings] = DEVICES, *, retained: bool = False
) -> Decoded:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return DIALECT.decode(
        Message(topic=topic, payload=raw, received_at=NOW, devices=devices, retained=retained)
    )


def position(body: Any, topic: str = TOPIC, devices: dict[str, DeviceSettings] = DEVICES) -> Position:
    (report,) = decode(body, topic, devices).reports
    assert report.external_id == "collar-1"
    assert report.position is not None
    return report.position


def place(body: Any, devices: dict[str, DeviceSettings] = DEVICES) -> tuple[float, float]:
    found = position(body, devices=devices).at
    return found.lat, found.lon


def fact(body: Any, topic: str = TOPIC) -> Fact:
    (report,) = decode(body, topic).reports
    assert report.fact is not None
    return report.fact


def refusal(body: Any, topic: str = TOPIC) -> Reason:
    with pytest.raises(Malformed) as refused:
        decode(body, topic)
    return refused.value.reason


def test_the_place_is_what_the_formatter_decoded() -> None:
    found = position(uplink({**FIX, "altitude": 520, "sats": 6.0}))
    assert (found.at.lat, found.at.lon) == (48.1, 11.5)
    assert (found.recorded_at, found.altitude_m, found.satellites) == (HEARD, 520, 6)


@pytest.mark.parametrize(
    "body",
    [
        uplink({"temperature": 20}),
        uplink({}),
        uplink(None, frm_payload="AXVkA2cKAQUAAQSI3rx3AQj/CAcg"),
        uplink({"gps_1": {"latitude": 0, "longitude": 0, "altitude": 0}}),
        uplink({"fixFailed": True, "cached": {"latitudeDeg": 48.1, "longitudeDeg": 11.5}}),
        {**uplink(FIX), "simulated": True},
    ],
)
def test_neither_a_gateway_nor_a_registered_place_stands_in_for_a_fix(body: Any) -> None:
    assert not [report for report in decode(body).reports if report.position is not None]


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({}, HEARD),
        ({"rx_metadata": [{"time": "1970-02-16T19:17:14Z"}, GATEWAY]}, HEARD),
        ({"rx_metadata": [{"time": "2022-05-18T08:25:25Z"}]}, HEARD.replace(microsecond=906399)),
        (
            {"rx_metadata": [{}], "settings": {"time": "2023-05-18T08:25:20Z"}},
            HEARD.replace(second=20, microsecond=0),
        ),
        ({"rx_metadata": None}, HEARD.replace(microsecond=906399)),
        ({"rx_metadata": [], "received_at": None}, HEARD.replace(second=26, microsecond=112483)),
        (
            {"received_at": "0001-01-01T00:00:00Z", "rx_metadata": []},
            HEARD.replace(second=26, microsecond=112483),
        ),
    ],
)
def test_the_time_is_the_best_that_the_network_knows(members: dict[str, Any], expected: datetime) -> None:
    assert position(uplink(FIX, **members)).recorded_at == expected


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"time": "2023-05-18T08:20:00.000Z"}, HEARD.replace(minute=20, second=0, microsecond=0)),
        ({"time": "2023-05-18T08:20:00"}, HEARD.replace(minute=20, second=0, microsecond=0)),
        ({"timestamp": 1684398000}, HEARD.replace(minute=20, second=0, microsecond=0)),
        ({"timestamp": 1684398000000}, HEARD.replace(minute=20, second=0, microsecond=0)),
        ({"time": "1980-01-06T00:00:00Z"}, HEARD),
        ({"time": "soon"}, HEARD),
        (
            {"messageType": "POSITION_MESSAGE", "gpsLatitude": 1, "gpsLongitude": 2, "age": 80},
            HEARD - timedelta(seconds=80),
        ),
    ],
)
def test_the_tracker_s_own_time_goes_first_and_an_age_is_counted_back(
    members: dict[str, Any], expected: datetime
) -> None:
    assert position(uplink({**FIX, **members})).recorded_at == expected


def test_a_time_to_come_is_refused() -> None:
    assert refusal(uplink({**FIX, "time": "2023-05-18T10:25:00Z"})) is Reason.TIME_IN_FUTURE


def test_without_any_time_it_was_when_it_came_unless_it_is_a_replay() -> None:
    body = {"end_device_ids": {"device_id": "collar-1"}, "uplink_message": {"decoded_payload": FIX}}
    assert position(body).recorded_at == NOW
    assert decode(body, retained=True) is NOTHING


def test_the_place_of_the_payload_is_taken_where_the_object_has_none() -> None:
    known = {
        **REGISTERED,
        "frm-payload": {"latitude": 5.0, "longitude": 6.0, "altitude": 7, "source": "SOURCE_GPS"},
    }
    found = position(uplink({"battery_percent": 84}, locations=known))
    assert (found.at.lat, found.at.lon, found.altitude_m) == (5, 6, 7)
    assert (found.battery_pct, found.attrs["location_source"]) == (84, "SOURCE_GPS")
    assert place(uplink(None, locations=known)) == (5, 6)


def test_a_cached_place_is_not_taken_from_elsewhere_either() -> None:
    known = {"frm-payload": {"latitude": 5.0, "longitude": 6.0, "source": "SOURCE_GPS"}}
    body = uplink({"gnss_fix": False, "latitude": 5.0, "longitude": 6.0}, locations=known)
    assert not [report for report in decode(body).reports if report.position is not None]


def test_a_normalized_place_is_taken() -> None:
    measured = [{"battery": 3.9}, {"position": {"latitude": 5.0, "longitude": 6.0}}]
    assert place(uplink(None, normalized_payload=measured)) == (5, 6)


def solved(**location: Any) -> dict[str, Any]:
    return {
        "end_device_ids": {"device_id": "collar-1"},
        "received_at": "2023-05-18T08:25:26.112483370Z",
        "location_solved": {"service": "geolocation", "location": location},
    }


def test_the_network_solves_a_place() -> None:
    source = "SOURCE_WIFI_RSSI_GEOLOCATION"
    found = position(solved(latitude=47.0, longitude=6.9, accuracy=28, source=source))
    assert (found.at.lat, found.at.lon, found.accuracy_m, found.altitude_m) == (47, 6.9, 28, None)
    assert (found.recorded_at, found.attrs) == (
        HEARD.replace(second=26, microsecond=112483),
        {"location_source": source},
    )


def test_a_coordinate_that_is_left_out_is_zero() -> None:
    assert place(solved(longitude=6.9)) == (0, 6.9)
    assert place(solved(latitude=47.0)) == (47, 0)
    assert decode(solved(accuracy=28)) is NOTHING
    assert decode(solved(latitude=47.0, longitude=6.9, source="SOURCE_REGISTRY")) is NOTHING


@pytest.mark.parametrize(
    ("codec", "port", "raw"),
    [
        ("milesight_at101", 85, "AXVkA2cKAQUAAQSI3rx3AQj/CAcg"),
        ("cayenne", 1, base64.b64encode(bytes.fromhex("018803c1ee1202640011a8")).decode()),
    ],
)
def test_bytes_are_read_only_for_a_device_whose_codec_is_known(codec: str, port: int, raw: str) -> None:
    body = uplink(None, frm_payload=raw, f_port=port)
    assert decode(body) is NOTHING
    assert decode(body, devices={"collar-1": DeviceSettings(codec="no_such")}) is NOTHING
    lat, lon = place(body, devices={"collar-1": DeviceSettings(codec=codec)})
    assert (lat, lon) == pytest.approx((24.62435, 118.030088) if port == 85 else (24.6254, 118.026))


def test_bytes_that_the_codec_cannot_read_are_refused() -> None:
    body = uplink(None, frm_payload="AA==")
    with pytest.raises(Malformed):
        decode(body, devices={"collar-1": DeviceSettings(codec="dragino_lgt92")})


@pytest.mark.parametrize(
    ("unit", "speed"), [(None, None), (SpeedUnit.KNOTS, 36 * 1852 / 3600), (SpeedUnit.KMH, 10)]
)
def test_a_speed_of_open_unit_needs_the_device_s_setting(unit: SpeedUnit | None, speed: float | None) -> None:
    found = position(uplink({**FIX, "speed": 36}), devices={"collar-1": DeviceSettings(speed_unit=unit)})
    assert found.speed_mps == (None if speed is None else pytest.approx(speed))
    assert found.attrs["speed"] == 36


def test_what_comes_without_a_place_is_telemetry() -> None:
    found = fact(uplink({"messages": [[{"measurementId": "3000", "measurementValue": 84}]]}))
    assert (found.kind, found.data, found.recorded_at) == ("telemetry", {"battery_pct": 84}, HEARD)


def test_the_topic_names_the_device_before_the_body_does() -> None:
    body = {**uplink(FIX), "end_device_ids": {"device_id": "other"}}
    assert position(body).at.lat == 48.1
    assert position(uplink(FIX), "").at.lat == 48.1
    assert position(uplink(FIX), "v3/open-source-app/devices/collar-1/up").at.lat == 48.1


def test_a_gateway_must_name_the_device() -> None:
    body = uplink(FIX) | {"end_device_ids": {}}
    assert refusal(body, "") is Reason.NO_IDENTITY
    assert decode(body, "", devices={"": DeviceSettings()}).reports[0].external_id is None


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("join_accept", "join"),
        ("downlink_ack", "downlink_ack"),
        ("downlink_nack", "downlink_nack"),
        ("downlink_failed", "downlink_failed"),
    ],
)
def test_joins_and_answers_are_events(kind: str, name: str) -> None:
    found = fact({"end_device_ids": {"device_id": "collar-1"}, kind: {}}, "v3/app/devices/collar-1/x")
    assert (found.kind, found.data, found.recorded_at) == ("event", {"event": name}, NOW)


@pytest.mark.parametrize(
    ("topic", "body"),
    [
        (TOPIC, b""),
        (TOPIC, {"end_device_ids": {}, "service_data": {}}),
        ("v3/app/devices/collar-1/down/sent", {"downlink_sent": {}}),
        ("v3/app/devices/collar-1/down/push", b"{"),
    ],
)
def test_the_rest_says_nothing(topic: str, body: Any) -> None:
    assert decode(body, topic) is NOTHING


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"{", Reason.NOT_JSON),
        ([1], Reason.WRONG_SHAPE),
        ({"uplink_message": 7}, Reason.WRONG_SHAPE),
        (uplink({"latitude": 48.1}), Reason.WRONG_SHAPE),
        (uplink({"latitude": 98.1, "longitude": 1}), Reason.OUT_OF_RANGE),
        (b" " * 70_000, Reason.TOO_LARGE),
    ],
)
def test_what_cannot_be_is_refused(body: Any, reason: Reason) -> None:
    assert refusal(body) is reason
