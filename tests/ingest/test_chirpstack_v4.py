import json
from datetime import UTC, datetime
from typing import Any

import pytest

from tracker.domain.device import DeviceSettings
from tracker.domain.errors import Malformed, Reason
from tracker.domain.position import Fact, Position
from tracker.ingest.dialects._message import NOTHING, Decoded, Message
from tracker.ingest.dialects.chirpstack_v4 import DIALECT

NOW = datetime(2023, 5, 22, 7, 47, 10, tzinfo=UTC)
SENT = datetime(2023, 5, 22, 7, 47, 5, 404859, UTC)
EUI = "10000000000000ab"
FIX = {"latitude": 48.1, "longitude": 11.5}
DEVICES: dict[str, DeviceSettings] = {}


def topic(kind: str = "up", device: str = EUI) -> str:
    return f"application/ca739e26/device/{device}/event/{kind}"


def uplink(decoded: Any = None, **members: Any) -> dict[str, Any]:
    return {
        "time": "2023-05-22T07:47:05.404859+00:00",
        "deviceInfo": {"devEui": EUI},
        "fPort": 85,
        "rxInfo": [{"location": {"latitude": 1.0, "longitude": 2.0}}],
        "object": decoded,
        **members,
    }


def decode(
    body: Any, at: str | None = None, devices: dict[str, DeviceSettings] = DEVICES, query: str = ""
) -> Decoded:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    where = topic() if at is None else at
    return DIALECT.decode(Message(topic=where, payload=raw, received_at=NOW, devices=devices, query=query))


def position(body: Any, at: str | None = None, query: str = "") -> Position:
    (report,) = decode(body, at, query=query).reports
    assert report.external_id == EUI
    assert report.position is not None
    return report.position


def fact(body: Any, kind: str) -> Fact:
    (report,) = decode(body, topic(kind)).reports
    assert report.external_id == EUI
    assert report.fact is not None
    return report.fact


def refusal(body: Any, at: str | None = None) -> Reason:
    with pytest.raises(Malformed) as refused:
        decode(body, at)
    return refused.value.reason


def test_the_place_is_what_the_codec_decoded() -> None:
    found = position(uplink({**FIX, "sats": 6.0, "hdop": "0.9"}))
    assert (found.at.lat, found.at.lon, found.recorded_at) == (48.1, 11.5, SENT)
    assert (found.satellites, found.hdop) == (6, 0.9)


def test_its_own_cayenne_decoder_names_places_by_channel() -> None:
    found = position(uplink({"gpsLocation": {"1": {**FIX, "altitude": 520.0}}}))
    assert (found.at.lat, found.altitude_m) == (48.1, 520)


@pytest.mark.parametrize("decoded", [None, {}, {"distance_cm": 170.0}, {"latitude": 0.0, "longitude": 0.0}])
def test_a_gateway_s_place_does_not_stand_in_for_a_fix(decoded: Any) -> None:
    assert decode(uplink(decoded)) is NOTHING


def test_bytes_are_read_for_a_device_whose_codec_is_known() -> None:
    body = uplink(None, data="AXVkA2cKAQUAAQSI3rx3AQj/CAcg")
    assert decode(body) is NOTHING
    found = decode(body, devices={EUI: DeviceSettings(codec="milesight_at101")})
    assert found.reports[0].position is not None
    assert found.reports[0].position.battery_pct == 100


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({}, SENT),
        (
            {"time": None, "rxInfo": [{"gwTime": "2023-05-22T07:47:04+00:00"}]},
            SENT.replace(second=4, microsecond=0),
        ),
        (
            {"time": None, "rxInfo": [{"nsTime": "2023-05-22T07:47:03+00:00"}]},
            SENT.replace(second=3, microsecond=0),
        ),
        (
            {"time": "1970-01-01T00:00:09+00:00", "rxInfo": [{"time": "2023-05-22T07:47:02Z"}]},
            SENT.replace(second=2, microsecond=0),
        ),
        (
            {"object": {**FIX, "time": "2023-05-22T07:40:00"}},
            SENT.replace(minute=40, second=0, microsecond=0),
        ),
        ({"time": None}, NOW),
    ],
)
def test_the_time_is_the_best_that_is_known(members: dict[str, Any], expected: datetime) -> None:
    assert position(uplink(FIX) | members).recorded_at == expected


def test_version_3_writes_base64_and_text() -> None:
    body = {
        "devEUI": "EAAAAAAAAKs=",
        "rxInfo": [
            {"time": None},
            {"time": "2023-05-22T07:47:01Z", "location": {"latitude": 1, "longitude": 2}},
        ],
        "objectJSON": json.dumps({**FIX, "battery": 3977, "uplink": 4, "downlink": 3}),
    }
    found = position(body, "", query="event=up")
    assert (found.at.lat, found.recorded_at.second, found.battery_pct) == (48.1, 1, None)
    assert position({**body, "devEUI": EUI.upper()}, "").at == found.at
    assert position(body, topic("up", EUI.upper())).at == found.at


def test_the_server_works_out_a_place() -> None:
    place = {
        "latitude": 37.3,
        "longitude": -8.8,
        "altitude": 2,
        "source": "GEO_RESOLVER_TDOA",
        "accuracy": 55,
    }
    found = position(uplink(location=place), topic("location"))
    assert (found.at.lat, found.at.lon, found.altitude_m, found.accuracy_m) == (37.3, -8.8, 2, 55)
    assert (found.recorded_at, found.attrs["location_source"]) == (SENT, "GEO_RESOLVER_TDOA")


def test_a_coordinate_that_is_left_out_is_zero() -> None:
    assert position(uplink(location={"longitude": -8.8}), topic("location")).at.lat == 0
    assert decode(uplink(location={}), topic("location")) is NOTHING


@pytest.mark.parametrize(
    ("members", "data"),
    [
        ({"batteryLevel": 88.3, "margin": 10}, {"battery_pct": 88.3, "margin_db": 10}),
        ({"externalPowerSource": True, "margin": -5}, {"charging": True, "margin_db": -5}),
        ({"batteryLevel": 0, "batteryLevelUnavailable": True, "margin": 1}, {"margin_db": 1}),
    ],
)
def test_a_status_tells_the_battery(members: dict[str, Any], data: dict[str, Any]) -> None:
    found = fact(uplink() | members, "status")
    assert (found.kind, found.data, found.recorded_at) == ("telemetry", data, SENT)


@pytest.mark.parametrize(
    ("kind", "members", "name"),
    [
        ("join", {}, "join"),
        ("ack", {"acknowledged": True}, "downlink_ack"),
        ("ack", {"acknowledged": False}, "downlink_nack"),
    ],
)
def test_joins_and_answers_are_events(kind: str, members: dict[str, Any], name: str) -> None:
    assert fact(uplink() | members, kind).data == {"event": name}


@pytest.mark.parametrize("kind", ["txack", "log", "integration", "unheard"])
def test_other_events_say_nothing(kind: str) -> None:
    assert decode(uplink(FIX), topic(kind)) is NOTHING


def test_commands_and_empty_messages_say_nothing() -> None:
    assert decode(uplink(FIX), f"application/a/device/{EUI}/command/down") is NOTHING
    assert decode(b"") is NOTHING
    assert decode({"deviceInfo": {"devEui": EUI}}, "") is NOTHING


def test_a_gateway_must_name_the_device() -> None:
    assert refusal(uplink(FIX) | {"deviceInfo": {}}, "") is Reason.NO_IDENTITY


def test_the_topic_names_the_device_before_the_body_does() -> None:
    assert position(uplink(FIX) | {"deviceInfo": {"devEui": "0" * 16}}).at.lat == 48.1


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"\x0a\x24\xff\xfe", Reason.NOT_JSON),
        (b"\x0a\x24abc", Reason.NOT_JSON),
        ([1], Reason.WRONG_SHAPE),
        (uplink({"longitude": 11.5}), Reason.WRONG_SHAPE),
        (uplink(objectJSON="{"), Reason.NOT_JSON),
        (b" " * 70_000, Reason.TOO_LARGE),
    ],
)
def test_what_cannot_be_is_refused(body: Any, reason: Reason) -> None:
    assert refusal(body) is reason
