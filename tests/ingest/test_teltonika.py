import json
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.ingest.messages import RECEIVED
from tracker.domain.device import DeviceSettings, SpeedUnit
from tracker.domain.errors import Malformed, Reason
from tracker.domain.geo import LatLon
from tracker.domain.position import Fact, Position
from tracker.ingest.dialects._message import NOTHING, Decoded, Message
from tracker.ingest.dialects.teltonika import DIALECT

IMEI = "350612073499999"
MOMENT = datetime(2026, 11, 21, 8, 30, 15, tzinfo=UTC)
RECORD = {"ts": 1795249815000, "latlng": "55.75,-37.62", "sat": 7, "69": 1}


def decode(body: Any, topic: str = f"{IMEI}/data", **members: Any) -> Decoded:
    payload = body if isinstance(body, bytes) else json.dumps(body).encode()
    return DIALECT.decode(Message(topic=topic, payload=payload, received_at=RECEIVED, **members))


def reported(**members: Any) -> dict[str, Any]:
    record = {name: value for name, value in {**RECORD, **members}.items() if value is not None}
    return {"state": {"reported": record}}


def position(**members: Any) -> Position:
    (report,) = decode(reported(**members)).reports
    assert report.external_id == IMEI
    assert report.position is not None
    return report.position


def fact(body: Any) -> Fact:
    (report,) = decode(body).reports
    assert (report.external_id, report.position) == (IMEI, None)
    assert report.fact is not None
    return report.fact


def refusal(body: Any, topic: str = f"{IMEI}/data") -> Reason:
    with pytest.raises(Malformed) as refused:
        decode(body, topic)
    return refused.value.reason


@pytest.mark.parametrize(
    ("members", "field", "value"),
    [
        ({}, "at", LatLon(lat=55.75, lon=-37.62)),
        ({"ts": 1795249815030}, "recorded_at", MOMENT.replace(microsecond=30_000)),
        ({"ts": "1795249815000"}, "recorded_at", MOMENT),
        ({"sp": 36}, "speed_mps", 10),
        ({"sp": "36", "24": 99}, "speed_mps", 10),
        ({"24": 36}, "speed_mps", 10),
        ({"ang": "272"}, "course_deg", 272),
        ({"ang": 360}, "course_deg", 0),
        ({"alt": "-3"}, "altitude_m", -3),
        ({"sat": "3"}, "satellites", 3),
        ({"182": 47}, "hdop", 4.7),
        ({"113": 31}, "battery_pct", 31),
        ({"113": 101}, "battery_pct", None),
        ({"67": 3595}, "battery_pct", None),
        ({"239": 1}, "ignition", True),
        ({"240": 0, "303": 1}, "motion", False),
        ({"303": 1}, "motion", True),
        ({"16": 10876}, "odometer_m", 10876),
        ({"evt": 239, "239": 0}, "trigger", "239"),
        ({"evt": 0}, "trigger", None),
        ({"66": 11783, "67": 3595, "68": 117}, "external_voltage_v", 11.783),
        ({"66": 11783, "67": 3595, "68": 117}, "battery_voltage_v", 3.595),
        ({"66": 11783, "67": 3595, "68": 117}, "battery_current_a", 0.117),
        ({"21": 4}, "gsm_signal", 4),
        ({"181": 48}, "pdop", 4.8),
        ({"199": "20"}, "trip_odometer_m", 20),
        ({"18": 64574}, "axis_y_mg", -962),
        ({"18": -11}, "axis_y_mg", -11),
        ({"12": 1130}, "fuel_used_l", 1.13),
        ({"13": 217}, "fuel_rate_l_per_100km", 2.17),
        ({"11": 893116211, "14": 1680671168}, "iccid", "8931162111680671168"),
        ({"256": "WVWZZZ1JZXW000001"}, "vin", "WVWZZZ1JZXW000001"),
        ({"pr": 2}, "pr", 2),
        ({"155": 1}, "155", 1),
        ({"387": "+55.75-037.62/"}, "387", None),
    ],
)
def test_an_element_is_taken_in_its_unit_or_unknown(members: Any, field: str, value: object) -> None:
    found = position(**members)
    assert (getattr(found, field) if hasattr(found, field) else found.attrs.get(field)) == value


def test_the_network_is_split_into_its_codes() -> None:
    found = position(**{"241": 20416, "205": 7, "206": 30, "636": 53977651})
    assert found.network == {"mcc": 204, "mnc": 16, "lac": 30, "cid": 53977651}
    assert position(**{"241": 0, "205": 7, "206": 30, "636": 0}).network == {"lac": 30, "cid": 7}
    assert position(**{"205": 0, "206": 0}).network == {}


@pytest.mark.parametrize(
    "topic",
    [
        f"{IMEI}/data",
        f"master/fleet-client/teltonika/{IMEI}/data",
        f"$aws/things/{IMEI}/shadow/update",
    ],
)
def test_the_device_is_the_level_of_15_digits(topic: str) -> None:
    assert decode(reported(), topic).reports[0].external_id == IMEI


def test_a_topic_without_one_is_taken_only_from_a_device_that_speaks_for_itself() -> None:
    assert refusal(reported(), "car/data") is Reason.NO_IDENTITY
    (report,) = decode(reported(), "car/data", devices={"": DeviceSettings()}).reports
    assert (report.external_id, report.position is not None) == (None, True)


@pytest.mark.parametrize(
    "members",
    [
        {"69": 2},
        {"69": 0, "sat": 9},
        {"69": "3"},
        {"69": None, "sat": 0},
        {"69": None, "sat": "0"},
        {"69": None, "sat": None},
        {"latlng": "0,0"},
        {"latlng": "0.000000,0.000000"},
        {"69": None, "sat": None, "latlng": None},
    ],
)
def test_without_a_fix_the_devices_state_is_told_and_no_position(members: dict[str, Any]) -> None:
    found = fact(reported(**members, **{"239": 1, "113": 88, "67": 3844}))
    assert (found.kind, found.recorded_at) == ("telemetry", MOMENT)
    assert found.data == {"ignition": True, "battery_pct": 88, "battery_voltage_v": 3.844}


def test_satellites_tell_of_a_fix_where_nothing_else_does() -> None:
    assert position(**{"69": None, "sat": "5"}).satellites == 5


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"latlng": None}, Reason.WRONG_SHAPE),
        ({"latlng": "55.75"}, Reason.WRONG_SHAPE),
        ({"latlng": [55.75, 37.62]}, Reason.WRONG_SHAPE),
        ({"latlng": "91,0"}, Reason.OUT_OF_RANGE),
        ({"ts": None}, Reason.NO_TIME),
        ({"ts": 1072915236000}, Reason.NO_TIME),
        ({"ts": 4070908800000}, Reason.TIME_IN_FUTURE),
    ],
)
def test_a_fix_without_place_or_time_is_refused(members: dict[str, Any], reason: Reason) -> None:
    assert refusal(reported(**members)) is reason


def test_state_told_before_the_clock_was_set_is_of_now() -> None:
    found = fact(reported(**{"ts": 1072915236000, "69": 2, "239": 1}))
    assert (found.recorded_at, found.data) == (RECEIVED, {"ignition": True})


def test_replayed_state_of_unknown_age_says_nothing() -> None:
    assert decode(reported(**{"ts": None, "69": 2, "239": 1}), retained=True) == NOTHING


def test_a_crash_is_told_beside_the_position() -> None:
    (report,) = decode(reported(**{"evt": 247, "247": 1})).reports
    assert report.position is not None
    assert report.fact == Fact(kind="event", recorded_at=MOMENT, data={"type": "crash", "value": 1})
    state, event = decode(reported(**{"evt": 252, "252": 1, "69": 2, "239": 0})).reports
    assert (state.fact and state.fact.kind, event.fact and event.fact.kind) == ("telemetry", "event")


def test_the_devices_own_unit_of_speed_is_heeded() -> None:
    devices = {IMEI: DeviceSettings(speed_unit=SpeedUnit.MPS)}
    (report,) = decode(reported(sp=10), devices=devices).reports
    assert report.position is not None
    assert report.position.speed_mps == 10


@pytest.mark.parametrize(
    "body",
    [{"RSP": "ok"}, {"state": {"reported": {"command_response": "ok", "ts": 1795249815000}}}],
)
def test_the_answer_to_a_command_is_an_event(body: Any) -> None:
    found = fact(body)
    assert (found.kind, found.data) == ("event", {"type": "command_response", "text": "ok"})


@pytest.mark.parametrize("body", [b"", {}, {"CMD": "getinfo"}, {"state": {"desired": {}}}, {"state": None}])
def test_what_tells_nothing_is_ignored(body: Any) -> None:
    assert decode(body) == NOTHING


def test_commands_are_ignored_whatever_they_hold() -> None:
    assert decode(b"getinfo", f"r/c/teltonika/{IMEI}/commands") == NOTHING


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"\x00\x0f350612073499999", Reason.NOT_JSON),
        (b"7", Reason.WRONG_SHAPE),
        (b'{"state":{"reported":7}}', Reason.WRONG_SHAPE),
        (b'{"a":"' + b"x" * 70_000 + b'"}', Reason.TOO_LARGE),
    ],
)
def test_what_is_no_record_is_refused(payload: bytes, reason: Reason) -> None:
    assert refusal(payload) is reason
