import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from nacl.secret import SecretBox

from tests.ingest.messages import RECEIVED, message
from tracker.domain.device import DeviceSettings, SpeedUnit
from tracker.domain.errors import Malformed, Reason
from tracker.domain.geo import LatLon
from tracker.domain.position import Fact, Position
from tracker.ingest.dialects._message import NOTHING, Decoded, Message
from tracker.ingest.dialects.owntracks import DIALECT

LOCATION = {"_type": "location", "tst": 1795251600, "lat": 55.75, "lon": 37.62}


def decode(body: Any, *rest: str, retained: bool = False, key: bytes | None = None) -> Decoded:
    payload = body if isinstance(body, bytes) else json.dumps(body).encode()
    return DIALECT.decode(message("owntracks", payload, *rest, retained=retained, key=key))


def position(**members: Any) -> Position:
    (report,) = decode({**LOCATION, **members}).reports
    assert report.position is not None
    return report.position


def whose(topic: str, body: Any = LOCATION, query: str = "", **headers: str) -> str | None:
    found = DIALECT.decode(
        Message(
            topic=topic,
            payload=json.dumps(body).encode(),
            received_at=RECEIVED,
            query=query,
            headers={name.replace("_", "-"): value for name, value in headers.items()},
        )
    )
    return found.reports[0].external_id


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
        ({"batt": "75"}, "battery_pct", 75),
        ({"batt": "75 %"}, "battery_pct", None),
        ({"lat": "55.5", "lon": "37.5"}, "at", LatLon(lat=55.5, lon=37.5)),
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
        ({"mcc": 250, "cid": "1A2B"}, "network", {"mcc": 250, "cid": "1A2B"}),
        ({"t": "e"}, "charging", False),
        ({"t": "E", "bs": 1}, "charging", False),
        ({"t": 9}, "trigger", "9"),
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
        ({"lon": "east"}, Reason.WRONG_SHAPE),
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
    assert found.attrs == {"poi": "here", "topic": "owntracks/other/device"}


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


@pytest.mark.parametrize("body", [b"", b"[]", {}, {"_type": "unheard of"}, {"_type": 3}, {"some": "thing"}])
def test_what_is_unknown_is_ignored(body: Any) -> None:
    assert decode(body) == NOTHING


@pytest.mark.parametrize("body", [b"1", b'"location"'])
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


@pytest.mark.parametrize(
    ("topic", "device"),
    [
        ("owntracks/jane/phone", "jane/phone"),
        ("/owntracks/jane/phone", "jane/phone"),
        ("owntracks/test/iPhone 12 Pro", "test/iPhone 12 Pro"),
        ("owntracks/family/jane/phone", "jane/phone"),
        ("my/own/tracks/jane/phone", "jane/phone"),
        ("owntracks/jane/event", "jane/event"),
        ("owntracks//phone", None),
        ("owntracks", None),
    ],
)
def test_the_topic_tells_whose_a_location_is(topic: str, device: str | None) -> None:
    body = {**LOCATION, "topic": "owntracks/mallory/phone"}
    assert whose(topic, body, x_limit_u="mallory", x_limit_d="phone") == device


def test_a_suffix_of_the_app_is_no_part_of_the_device() -> None:
    body = {"_type": "transition", "tst": 1795251600, "event": "leave"}
    assert whose("owntracks/jane/phone/event", body) == "jane/phone"
    assert whose("/owntracks/jane/phone/lwt", {"_type": "lwt"}) == "jane/phone"


def test_over_http_headers_go_before_the_query_and_that_before_the_body() -> None:
    body = {**LOCATION, "topic": "owntracks/body/phone"}
    assert whose("", body, "u=query&d=phone", x_limit_u="head", x_limit_d="phone") == "head/phone"
    assert whose("", body, "u=query&d=phone", x_limit_u="head") == "query/phone"
    assert whose("", body, "u=&d=phone") == "body/phone"
    assert whose("", LOCATION) is None


def test_an_encrypted_body_over_http_tells_whose_it_is_inside_or_beside() -> None:
    def of(body: Any) -> str | None:
        payload = json.dumps(body).encode()
        (report,) = DIALECT.decode(
            Message(topic="", payload=payload, received_at=RECEIVED, payload_key=b"secret")
        ).reports
        return report.external_id

    inside = {**LOCATION, "topic": "owntracks/jane/phone"}
    assert of(sealed(inside, b"secret")) == "jane/phone"
    assert of({**sealed(LOCATION, b"secret"), "topic": "owntracks/jane/phone"}) == "jane/phone"


def test_of_several_messages_in_one_body_the_good_ones_are_taken() -> None:
    decoded = decode([LOCATION, {**LOCATION, "tst": None}, {**LOCATION, "tst": 1795251601}, 7])
    assert [each.position.recorded_at.second for each in decoded.reports if each.position] == [0, 1]
    assert [each.reason for each in decoded.problems] == [Reason.NO_TIME, Reason.WRONG_SHAPE]


def test_a_body_of_too_many_messages_is_refused() -> None:
    assert refusal([{}] * 1001) is Reason.TOO_LARGE


def test_an_encrypted_last_will_is_one() -> None:
    (report,) = decode(sealed({"_type": "lwt"}, b"secret"), key=b"secret").reports
    assert report.fact is not None
    assert report.fact.kind == "presence"


def test_a_replayed_last_will_says_nothing() -> None:
    assert decode({"_type": "lwt", "tst": 1795251600}, retained=True) == NOTHING


def test_a_command_below_a_leading_slash_says_nothing() -> None:
    message = Message(topic="/owntracks/jane/phone/cmd", payload=b"not json", received_at=RECEIVED)
    assert DIALECT.decode(message) == NOTHING


def test_a_line_of_a_greenwich_tracker_is_a_location() -> None:
    (report,) = decode(b"K2,6B014390,k,55750000,-37620000,9,36,15,5,1945").reports
    found = report.position
    assert found is not None
    assert found.recorded_at == datetime.fromtimestamp(0x6B014390, UTC)
    assert found.at == LatLon(lat=55.75, lon=-37.62)
    assert (found.course_deg, found.speed_mps, found.altitude_m, found.trigger) == (90, 10, 150, "k")
    assert found.attrs == {"tid": "K2", "dist": 5, "trip": 1_945_000}


@pytest.mark.parametrize("line", [b"K2,6B014390,k,1,2", b"K2,6B01439x,k,1,2,3,4,5,6,7", b"\xff,,"])
def test_what_only_looks_like_such_a_line_is_refused(line: bytes) -> None:
    assert refusal(line) in {Reason.NOT_JSON, Reason.NOT_TEXT}


def test_the_unit_of_speed_may_be_the_devices_own() -> None:
    message = Message(
        topic="owntracks/Jane/phone",
        payload=json.dumps({**LOCATION, "vel": 10}).encode(),
        received_at=RECEIVED,
        devices={"jane/phone": DeviceSettings(speed_unit=SpeedUnit.MPS)},
    )
    (report,) = DIALECT.decode(message).reports
    assert report.position is not None
    assert report.position.speed_mps == 10


def test_a_waypoint_of_an_old_export_is_dated_in_milliseconds() -> None:
    found = fact({"_type": "waypoint", "desc": "work", "tst": 1505910709000, "rad": "150"}, "waypoint")
    assert int(found.recorded_at.timestamp()) == 1505910709
    assert found.data == {"name": "work", "radius_m": 150}
