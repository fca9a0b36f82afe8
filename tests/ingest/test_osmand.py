from datetime import UTC, datetime
from typing import Any

import pytest

from tests.ingest.messages import RECEIVED
from tracker.domain.device import DeviceSettings, SpeedUnit
from tracker.domain.errors import Malformed, Reason
from tracker.domain.geo import LatLon
from tracker.domain.position import Fact, Position
from tracker.ingest.dialects._message import NOTHING, Decoded, Message
from tracker.ingest.dialects.osmand import DIALECT

PLACE = "id=van-7&lat=55.75&lon=37.62"
MOMENT = datetime(2026, 11, 21, 8, 30, 15, tzinfo=UTC)
OWN = {"": DeviceSettings()}


def decode(query: str, payload: bytes = b"", **members: Any) -> Decoded:
    return DIALECT.decode(Message(topic="", query=query, payload=payload, received_at=RECEIVED, **members))


def position(query: str, payload: bytes = b"", **members: Any) -> Position:
    (report,) = decode(query, payload, **members).reports
    assert report.external_id == "van-7"
    assert report.position is not None
    return report.position


def fact(query: str) -> Fact:
    (report,) = decode(query).reports
    assert report.position is None
    assert report.fact is not None
    return report.fact


def refusal(query: str, payload: bytes = b"") -> Reason:
    with pytest.raises(Malformed) as refused:
        decode(query, payload)
    return refused.value.reason


@pytest.mark.parametrize(
    ("query", "field", "value"),
    [
        ("speed=20", "speed_mps", pytest.approx(10.288889)),
        ("speed=-1", "speed_mps", None),
        ("speed=", "speed_mps", None),
        ("bearing=227.5", "course_deg", 227.5),
        ("heading=360", "course_deg", 0),
        ("altitude=-3.5", "altitude_m", -3.5),
        ("accuracy=0", "accuracy_m", None),
        ("accuracy=12.5", "accuracy_m", 12.5),
        ("hdop=6.0", "hdop", 6),
        ("batt=87", "battery_pct", 87),
        ("batt=-1", "battery_pct", None),
        ("charge=true", "charging", True),
        ("ignition=false", "ignition", False),
        ("motion=1", "motion", True),
        ("sat=9", "satellites", 9),
        ("odometer=6902740", "odometer_m", 6902740),
        ("valid=1", "at", LatLon(lat=55.75, lon=37.62)),
        ("rpm=933&fuel=24.5&sos=true", "attrs", {"rpm": 933, "fuel": 24.5, "sos": True}),
        ("driver=007&note=a%20b&nul=%00", "attrs", {"driver": "007", "note": "a b"}),
        ("driverUniqueId=4711", "attrs", {"driverUniqueId": "4711"}),
        ("speed=10&speed=20", "speed_mps", pytest.approx(5.144444)),
    ],
)
def test_a_field_is_taken_or_unknown(query: str, field: str, value: object) -> None:
    assert getattr(position(f"{PLACE}&{query}"), field) == value


@pytest.mark.parametrize(
    "written",
    [
        *("1795249815", "1795249815000", "2026-11-21T08%3A30%3A15Z", "2026-11-21T11:30:15%2B03:00"),
        *("2026-11-21T11:30:15+03:00", "2026-11-21T11:30:15+0300", "2026-11-21+08%3A30%3A15"),
    ],
)
def test_the_time_is_read_in_every_spelling(written: str) -> None:
    assert position(f"{PLACE}&timestamp={written}").recorded_at == MOMENT


def test_without_a_time_it_is_now() -> None:
    assert position(PLACE).recorded_at == RECEIVED


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("timestamp=1795249815&lat=60&lon=30", Reason.NO_IDENTITY),
        (f"{PLACE}&timestamp=soon", Reason.NO_TIME),
        (f"{PLACE}&timestamp=0", Reason.TIME_BEFORE_2000),
        (f"{PLACE}&timestamp=4070908800000", Reason.TIME_IN_FUTURE),
        ("id=7&lat=60", Reason.WRONG_SHAPE),
        ("id=7&lat=north&lon=30", Reason.WRONG_SHAPE),
        ("id=7&location=60", Reason.WRONG_SHAPE),
        ("id=7&lat=60&lon=181", Reason.OUT_OF_RANGE),
        ("id=%ff", Reason.NOT_TEXT),
        ("&".join(["a=1"] * 1001), Reason.TOO_LARGE),
        ("a" * 70_000, Reason.TOO_LARGE),
    ],
)
def test_what_cannot_be_true_is_refused(query: str, reason: Reason) -> None:
    assert refusal(query) is reason


def test_the_device_may_be_named_deviceid_and_the_place_location() -> None:
    found = position("deviceid=van-7&location=55.75,-37.62")
    assert found.at == LatLon(lat=55.75, lon=-37.62)


def test_one_that_speaks_for_itself_needs_no_id() -> None:
    (report,) = decode("lat=60&lon=30", devices=OWN).reports
    assert (report.external_id, report.position is not None) == (None, True)


def test_a_form_is_read_as_a_query() -> None:
    assert position("", f"{PLACE}&batt=50".encode()).battery_pct == 50
    assert position("id=van-7", b"lat=55.75&lon=37.62\r\n").at.lat == 55.75
    assert position("", f"/?{PLACE}".encode()).at.lat == 55.75


def test_a_fix_said_to_be_invalid_tells_the_devices_state_only() -> None:
    found = fact(f"{PLACE}&valid=0&batt=50&timestamp=1795249815")
    assert found == Fact(kind="telemetry", recorded_at=MOMENT, data={"battery_pct": 50})
    assert decode(f"{PLACE}&valid=false") == NOTHING
    assert decode("id=7&lat=0.0&lon=0.0") == NOTHING


def test_cells_and_access_points_alone_are_no_position() -> None:
    query = "id=7&cell=257,02,16,2224&cell=257,02,16,2223,-90&wifi=00-14-22-01-23-45,-80&cell=1&wifi="
    cell = {"mcc": 257, "mnc": 2, "lac": 16, "cid": 2224}
    assert fact(query).data == {
        "network": {
            **cell,
            "cells": [cell, {**cell, "cid": 2223, "signal": -90}],
            "wifi": [{"bssid": "00:14:22:01:23:45", "signal": -80}],
        }
    }


def test_no_more_than_16_cells_are_kept() -> None:
    found = position(PLACE + "&cell=1,2,3,4" * 20)
    assert len(found.network["cells"]) == 16


def test_the_devices_own_unit_of_speed_is_heeded() -> None:
    devices = {"van-7": DeviceSettings(speed_unit=SpeedUnit.KMH)}
    assert position(f"{PLACE}&speed=36", devices=devices).speed_mps == pytest.approx(10)


def test_an_empty_request_is_ignored() -> None:
    assert decode("") == NOTHING


def test_bytes_that_are_no_text_are_refused() -> None:
    assert refusal("", b"\xff\xfe") is Reason.NOT_TEXT
