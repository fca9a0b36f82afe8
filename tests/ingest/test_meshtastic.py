import json
from datetime import UTC, datetime
from typing import Any

import pytest

from tracker.domain.device import DeviceSettings, SpeedUnit
from tracker.domain.errors import Malformed, Reason
from tracker.domain.position import Fact, Position
from tracker.ingest.dialects._message import NOTHING, Decoded, Message
from tracker.ingest.dialects.meshtastic import DIALECT

NOW = datetime(2023, 11, 14, 22, 14, tzinfo=UTC)
FIX_S = 1700000000
TOPIC = "msh/US/2/json/LongFast/!7efeee00"
PLACE = {"latitude_i": 208759687, "longitude_i": -1565037665, "time": FIX_S}
DEVICES: dict[str, DeviceSettings] = {}


def decode(body: Any, topic: str = TOPIC, devices: dict[str, DeviceSettings] = DEVICES) -> Decoded:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return DIALECT.decode(Message(topic=topic, payload=raw, received_at=NOW, devices=devices))


def packet(kind: str = "position", **members: Any) -> dict[str, Any]:
    return {
        "from": 4209442076,
        "id": 7,
        "sender": "!7efeee00",
        "timestamp": FIX_S + 3,
        "type": kind,
        **members,
    }


def position(**members: Any) -> Position:
    (report,) = decode(packet(payload={**PLACE, **members})).reports
    assert report.position is not None
    return report.position


def fact(kind: str, **payload: Any) -> Fact:
    (report,) = decode(packet(kind, payload=payload)).reports
    assert report.fact is not None
    return report.fact


def refusal(body: Any) -> Reason:
    with pytest.raises(Malformed) as refused:
        decode(body)
    return refused.value.reason


def test_the_device_is_who_sent_it_not_who_heard_it() -> None:
    (report,) = decode(packet(payload=PLACE)).reports
    assert report.external_id == "!fae6fd1c"


@pytest.mark.parametrize("number", [4209442076, 4209442076 - 2**32, "!fae6fd1c", 4209442076.0])
def test_old_firmware_writes_its_number_signed(number: Any) -> None:
    (report,) = decode({**packet(payload=PLACE), "from": number}).reports
    assert report.external_id == "!fae6fd1c"


@pytest.mark.parametrize("number", [None, 0, 4294967295, -1, "me", True, 1.5, 2**40])
def test_a_packet_of_nobody_is_refused(number: Any) -> None:
    assert refusal({**packet(payload=PLACE), "from": number}) is Reason.NO_IDENTITY


def test_a_node_that_speaks_for_itself_needs_no_number() -> None:
    found = decode(packet(payload=PLACE) | {"from": None}, devices={"": DeviceSettings()})
    assert found.reports[0].external_id is None


@pytest.mark.parametrize(
    ("members", "field", "value"),
    [
        ({"altitude": 258}, "altitude_m", 258),
        ({"ground_speed": 36}, "speed_mps", 10),
        ({"ground_speed": -1}, "speed_mps", None),
        ({"ground_track": 22522000}, "course_deg", 225.22),
        ({"ground_track": 36000000}, "course_deg", 0),
        ({"ground_track": 40000000}, "course_deg", None),
        ({"sats_in_view": 6}, "satellites", 6),
        ({"HDOP": 121}, "hdop", 1.21),
        ({"HDOP": 0}, "hdop", None),
        ({"precision_bits": 10}, "accuracy_m", 23300),
        ({"precision_bits": 13}, "accuracy_m", 2912.5),
        ({"precision_bits": 16}, "accuracy_m", 23300 / 64),
        ({"precision_bits": 32}, "accuracy_m", None),
        ({"precision_bits": 31}, "accuracy_m", None),
        ({"precision_bits": 0}, "accuracy_m", None),
        ({}, "accuracy_m", None),
    ],
)
def test_a_member_is_taken_in_our_unit_or_unknown(members: dict[str, Any], field: str, value: object) -> None:
    assert getattr(position(**members), field) == pytest.approx(value)


def test_the_place_has_seven_decimals() -> None:
    assert (position().at.lat, position().at.lon) == (20.8759687, -156.5037665)


def test_dilutions_are_kept() -> None:
    found = position(PDOP=331, VDOP=150, precision_bits=13)
    assert found.attrs == {"pdop": 3.31, "vdop": 1.5, "precision_bits": 13}


@pytest.mark.parametrize(
    ("members", "root_s", "second"),
    [
        ({"timestamp": FIX_S + 5}, FIX_S + 9, 5),
        ({}, FIX_S + 9, 0),
        ({"timestamp": 0}, FIX_S + 9, 0),
        ({"time": 0}, FIX_S + 9, 9),
        ({"time": 86400}, FIX_S + 9, 9),
    ],
)
def test_the_time_is_that_of_the_fix_as_far_as_clocks_were_set(
    members: dict[str, Any], root_s: int, second: int
) -> None:
    (report,) = decode(packet(payload={**PLACE, **members}, timestamp=root_s)).reports
    assert report.position is not None
    assert report.position.recorded_at == datetime.fromtimestamp(FIX_S + second, UTC)


def test_without_any_clock_there_is_no_time() -> None:
    assert refusal(packet(payload={**PLACE, "time": 0}, timestamp=0)) is Reason.NO_TIME
    assert refusal(packet(payload={**PLACE, "time": FIX_S + 86400})) is Reason.TIME_IN_FUTURE


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        ({"latitude_i": 208759687, "time": FIX_S}, Reason.WRONG_SHAPE),
        ({"latitude_i": "208759687", "longitude_i": 1, "time": FIX_S}, Reason.WRONG_SHAPE),
        ({"latitude_i": 910000000, "longitude_i": 1, "time": FIX_S}, Reason.OUT_OF_RANGE),
        (7, Reason.WRONG_SHAPE),
        (None, Reason.WRONG_SHAPE),
    ],
)
def test_half_a_place_is_refused(payload: Any, reason: Reason) -> None:
    assert refusal(packet(payload=payload)) is reason


def test_zeros_are_no_fix() -> None:
    assert decode(packet(payload={"latitude_i": 0, "longitude_i": 0, "time": FIX_S})) is NOTHING


@pytest.mark.parametrize(
    ("topic", "body"),
    [
        ("msh/US/2/json/mqtt/", packet("sendposition", payload=PLACE)),
        ("msh/US/2/json/mqtt/", packet(payload=PLACE)),
        ("msh/US/2/json/mqtt", packet(payload=PLACE)),
        (TOPIC, packet("sendtext", payload="hello")),
        (TOPIC, packet("waypoint", payload=PLACE)),
        (TOPIC, packet("mapreport", payload=PLACE)),
        (TOPIC, packet("text", payload={"text": "hello"})),
        (TOPIC, packet("", payload=PLACE)),
        ("msh/US/2/e/LongFast/!7efeee00", b"\x0a\xff\x00"),
        ("msh/2/c/LongFast/!7efeee00", b"\x0a\xff\x00"),
        ("msh/US/2/map/", b"\x0a\xff\x00"),
        ("msh/US/2/stat/!7efeee00", b"online"),
        (TOPIC, b""),
    ],
)
def test_what_is_no_report_of_a_node_says_nothing(topic: str, body: Any) -> None:
    assert decode(body, topic) is NOTHING


@pytest.mark.parametrize("root", ["msh", "msh/EU_868", "msh/US/bayarea", "msh/US/CA/bayarea"])
def test_the_root_may_have_more_levels(root: str) -> None:
    assert decode(packet(payload=PLACE), f"{root}/2/json/LongFast/!7efeee00").reports
    levels = f"{root}/2/json/LongFast/!7efeee00".count("/")
    assert any(each.count("/") == levels for each in DIALECT.topics)


@pytest.mark.parametrize(
    ("payload", "data"),
    [
        ({"battery_level": 84, "voltage": 3.9}, {"battery_pct": 84, "voltage": 3.9}),
        ({"battery_level": 101, "voltage": 4.2}, {"charging": True, "voltage": 4.2}),
        ({"battery_level": 0, "voltage": 0}, {"voltage": 0}),
        ({"temperature": 20.5}, {"temperature": 20.5}),
    ],
)
def test_the_battery_comes_as_telemetry(payload: dict[str, Any], data: dict[str, Any]) -> None:
    found = fact("telemetry", **payload)
    assert (found.kind, dict(found.data)) == ("telemetry", data)
    assert found.recorded_at == datetime.fromtimestamp(FIX_S + 3, UTC)


def test_a_node_tells_its_name() -> None:
    found = fact("nodeinfo", longname="base0", shortname="BA0", hardware=10)
    assert (found.kind, found.data) == ("event", {"event": "nodeinfo", "name": "base0", "short_name": "BA0"})


def test_the_unit_of_speed_can_be_set_for_a_device() -> None:
    body = packet(payload={**PLACE, "ground_speed": 10})
    found = decode(body, devices={"!fae6fd1c": DeviceSettings(speed_unit=SpeedUnit.MPS)})
    assert found.reports[0].position is not None
    assert found.reports[0].position.speed_mps == 10


def test_what_is_no_object_is_refused() -> None:
    assert refusal([1]) is Reason.WRONG_SHAPE
    assert refusal(b"{") is Reason.NOT_JSON
    assert refusal(b" " * 70_000) is Reason.TOO_LARGE
