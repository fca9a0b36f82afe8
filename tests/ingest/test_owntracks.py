import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from nacl.secret import SecretBox

from tests.ingest.messages import RECEIVED, message
from tracker.domain.errors import Malformed, Reason
from tracker.domain.position import Fact, Position
from tracker.ingest.dialects._message import NOTHING, Decoded
from tracker.ingest.dialects.owntracks import DIALECT

LOCATION = {"_type": "location", "tst": 1795251600, "lat": 55.75, "lon": 37.62}


def decode(body: Any, *rest: str, retained: bool = False, key: bytes | None = None) -> Decoded:
    payload = body if isinstance(body, bytes) else json.dumps(body).encode()
    return DIALECT.decode(message("owntracks", payload, *rest, retained=retained, key=key))


def position(**members: Any) -> Position:
    (report,) = decode({**LOCATION, **members}).reports
    assert report.position is not None
    return report.position


def fact(body: Any, *rest: str) -> Fact:
    (report,) = decode(body, *rest).reports
    assert report.fact is not None
    return report.fact


def refusal(body: Any, *rest: str, key: bytes | None = None) -> Reason:
    with pytest.raises(Malformed) as refused:
        decode(body, *rest, key=key)
    return refused.value.reason


def sealed(body: Any, key: bytes) -> dict[str, str]:
    box = SecretBox(key.ljust(32, b"\0"))
    return {"_type": "encrypted", "data": base64.b64encode(box.encrypt(json.dumps(body).encode())).decode()}


@pytest.mark.parametrize(
    ("members", "field", "value"),
    [
        ({"vel": 36}, "speed_mps", 10.0),
        ({"vel": -1}, "speed_mps", None),
        ({"cog": 360}, "course_deg", 0.0),
        ({"cog": -1}, "course_deg", None),
        ({"batt": -1}, "battery_pct", None),
        ({"batt": 101}, "battery_pct", None),
        ({"batt": True}, "battery_pct", None),
        ({"batt": "75"}, "battery_pct", None),
        ({"acc": 0}, "accuracy_m", None),
        ({"acc": -1}, "accuracy_m", None),
        ({"acc": 1600}, "accuracy_m", 1600),
        ({"bs": 0}, "charging", None),
        ({"bs": 1}, "charging", False),
        ({"bs": 3}, "charging", True),
        ({"bs": 7}, "charging", None),
        ({"t": "i"}, "ignition", True),
        ({"t": "I"}, "ignition", False),
        ({"t": "i", "ign": 0}, "ignition", False),
        ({"odometer": 12.5}, "odometer_m", 12_500),
        ({"t": "a\0"}, "trigger", None),
        ({"tst": "1795251600"}, "recorded_at", datetime.fromtimestamp(1795251600, UTC)),
        ({"conn": "m", "SSID": "home"}, "network", {"type": "mobile", "ssid": "home"}),
        ({"mcc": 250, "cid": "1A2B"}, "network", {"mcc": "250", "cid": "1A2B"}),
    ],
)
def test_a_member_is_taken_or_unknown(members: dict[str, Any], field: str, value: object) -> None:
    assert getattr(position(**members), field) == value


def test_one_wrong_member_does_not_hide_the_others() -> None:
    found = position(vel="fast", batt=50, cog=90)
    assert (found.speed_mps, found.battery_pct, found.course_deg) == (None, 50, 90)


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"lat": 91}, Reason.OUT_OF_RANGE),
        ({"lat": None}, Reason.WRONG_SHAPE),
        ({"lon": "37.62"}, Reason.WRONG_SHAPE),
        ({"lat": True}, Reason.WRONG_SHAPE),
        ({"tst": None}, Reason.NO_TIME),
        ({"tst": "soon"}, Reason.NO_TIME),
        ({"tst": True}, Reason.WRONG_SHAPE),
        ({"tst": 0}, Reason.TIME_BEFORE_2000),
        ({"tst": 4070908800}, Reason.TIME_IN_FUTURE),
    ],
)
def test_a_location_without_place_or_time_is_refused(members: dict[str, Any], reason: Reason) -> None:
    assert refusal({**LOCATION, **members}) is reason


def test_a_phone_without_a_fix_says_nothing() -> None:
    assert decode({**LOCATION, "lat": 0, "lon": 0}) == NOTHING


def test_the_equator_is_a_place() -> None:
    assert position(lat=0).at.lat == 0


def test_extras_are_bounded_and_pictures_dropped() -> None:
    found = position(image="x" * 20_000, poi="here", big="y" * 5000, topic="owntracks/other/device")
    assert found.attrs == {"poi": "here"}


def test_a_replayed_location_is_dated_by_itself_and_taken() -> None:
    assert len(decode(LOCATION, retained=True).reports) == 1


def test_a_last_will_makes_the_device_absent_when_it_comes() -> None:
    found = fact({"_type": "lwt", "tst": 1700000000})
    assert found == Fact(kind="presence", recorded_at=RECEIVED, data={"online": False})


def test_a_crossing_is_a_fact_and_no_position() -> None:
    body = {
        **LOCATION,
        "_type": "transition",
        "event": "leave",
        "desc": "school",
        "rid": "ab",
        "acc": 9,
        "t": "c",
    }
    found = fact(body, "event")
    assert found.kind == "transition"
    assert found.data == {
        "event": "leave",
        "name": "school",
        "rid": "ab",
        "trigger": "c",
        "lat": 55.75,
        "lon": 37.62,
        "accuracy_m": 9,
    }


def test_two_crossings_within_a_second_are_two_facts_and_a_repeated_one_is_one() -> None:
    body = {"_type": "transition", "tst": 1795251600, "event": "leave", "desc": "school"}
    left, entered, again = (
        fact(each, "event") for each in (body, {**body, "event": "enter", "desc": "shop"}, body)
    )
    assert left.recorded_at != entered.recorded_at
    assert left == again
    assert int(left.recorded_at.timestamp()) == int(entered.recorded_at.timestamp()) == 1795251600


def test_a_configuration_is_never_kept() -> None:
    assert decode({"_type": "configuration", "password": "secret", "waypoints": []}, "dump") == NOTHING


def test_a_command_says_nothing_of_the_device() -> None:
    assert decode(b"not even json", "cmd") == NOTHING


@pytest.mark.parametrize("body", [b"", {}, {"_type": "unheard of"}, {"_type": 3}, {"some": "thing"}])
def test_what_is_unknown_is_ignored(body: Any) -> None:
    assert decode(body) == NOTHING


@pytest.mark.parametrize("body", [b"[]", b"1", b'"location"'])
def test_what_is_no_object_is_refused(body: bytes) -> None:
    assert refusal(body) is Reason.WRONG_SHAPE


def test_a_fact_that_is_too_large_is_refused() -> None:
    listed = [{"_type": "waypoint", "desc": "x" * 150, "rid": str(number)} for number in range(120)]
    assert refusal({"_type": "waypoints", "waypoints": listed}, "waypoints") is Reason.TOO_LARGE


def test_an_encrypted_location_is_opened_with_the_devices_secret() -> None:
    (report,) = decode(sealed(LOCATION, b"secret"), key=b"secret").reports
    assert report.position is not None
    assert report.position.at.lat == 55.75


def test_a_secret_longer_than_the_key_is_cut() -> None:
    long = b"0123456789abcdef0123456789abcdefMORE"
    assert decode(sealed(LOCATION, long[:32]), key=long).reports


def test_the_wrong_secret_is_refused() -> None:
    assert refusal(sealed(LOCATION, b"secret"), key=b"other") is Reason.BAD_CIPHERTEXT


def test_an_encrypted_message_without_a_secret_is_refused() -> None:
    assert refusal(sealed(LOCATION, b"secret")) is Reason.NO_KEY


def test_encrypted_twice_is_refused() -> None:
    twice = sealed(sealed(LOCATION, b"secret"), b"secret")
    assert refusal(twice, key=b"secret") is Reason.WRONG_SHAPE
