import json
from datetime import UTC, datetime
from typing import Any

import cbor2
import pytest

from tests.ingest.messages import RECEIVED, message
from tracker.domain.errors import Malformed, Reason
from tracker.domain.geo import LatLon
from tracker.domain.position import Fact, Position, StreamMark
from tracker.ingest.dialects.native import DIALECT

FIX = {"time": 1795251600, "lat": 55.75, "lon": 37.62}


def positions(payload: bytes, *rest: str) -> list[Position]:
    decoded = DIALECT.decode(message("tracker", payload, *(rest or ("position",))))
    assert decoded.problems == ()
    return [report.position for report in decoded.reports if report.position is not None]


def refusal(payload: bytes, *rest: str) -> Reason:
    try:
        decoded = DIALECT.decode(message("tracker", payload, *(rest or ("position",))))
    except Malformed as error:
        return error.reason
    assert decoded.reports == ()
    return decoded.problems[0].reason


def fix(**members: Any) -> bytes:
    return json.dumps({**FIX, **members}).encode()


def test_every_member_of_the_contract_is_taken() -> None:
    members = {
        "time": "2026-11-21T08:59:00.5Z",
        "lat": 55.75,
        "lon": 37.62,
        "accuracy_m": 4,
        "altitude_m": 150.5,
        "speed_mps": 1.5,
        "course_deg": 360,
        "battery_pct": 87,
        "charging": True,
        "trigger": "moved",
        "sat": 9,
        "hdop": 0.9,
        "ignition": False,
        "motion": True,
        "odometer_m": 1234.5,
        "sim": "8970101",
        "attrs": {"firmware": "1.2", "cells": [1, 2]},
        "boot": "b1",
        "seq": 7,
        "something_new": {"a": 1},
    }
    decoded = DIALECT.decode(message("tracker", json.dumps(members).encode(), "position"))
    (report,) = decoded.reports
    assert report.external_id is None
    assert report.mark == StreamMark(boot="b1", seq=7)
    assert report.position == Position(
        recorded_at=datetime(2026, 11, 21, 8, 59, 0, 500_000, tzinfo=UTC),
        at=LatLon(lat=55.75, lon=37.62),
        accuracy_m=4,
        altitude_m=150.5,
        speed_mps=1.5,
        course_deg=0,
        battery_pct=87,
        charging=True,
        ignition=False,
        motion=True,
        trigger="moved",
        satellites=9,
        hdop=0.9,
        odometer_m=1234.5,
        network={"sim": "8970101"},
        attrs={"firmware": "1.2", "cells": [1, 2]},
    )


def test_what_is_absent_is_unknown_and_not_zero() -> None:
    (position,) = positions(fix())
    assert (position.accuracy_m, position.speed_mps, position.battery_pct) == (None, None, None)


def test_an_accuracy_of_zero_is_unknown() -> None:
    assert positions(fix(accuracy_m=0))[0].accuracy_m is None


def test_epoch_time_keeps_its_fraction() -> None:
    (position,) = positions(fix(time=1795251600.25))
    assert position.recorded_at == datetime.fromtimestamp(1795251600.25, UTC)


def test_a_time_with_an_offset_is_understood() -> None:
    (position,) = positions(fix(time="2026-11-21T11:59:00+03:00"))
    assert position.recorded_at == datetime(2026, 11, 21, 8, 59, tzinfo=UTC)


def test_cbor_says_the_same_as_json() -> None:
    members = {**FIX, "accuracy_m": 4.5, "attrs": {"a": [1, None, "ж"]}, "boot": "b", "seq": 1}
    in_json = DIALECT.decode(message("tracker", json.dumps(members).encode(), "position"))
    in_cbor = DIALECT.decode(message("tracker", cbor2.dumps(members), "position", "cbor"))
    assert in_json == in_cbor


def test_an_array_is_taken_in_its_order() -> None:
    times = [1795251600, 1795251601, 1795251602]
    payload = json.dumps([{**FIX, "time": time} for time in times]).encode()
    assert [position.recorded_at.timestamp() for position in positions(payload)] == times


def test_an_empty_array_says_nothing() -> None:
    assert positions(b"[]") == []


def test_one_bad_element_leaves_the_good_ones_and_tells_its_place_in_the_stream() -> None:
    elements = [
        {**FIX, "boot": "b", "seq": 1},
        {**FIX, "lat": 91, "boot": "b", "seq": 2},
        {**FIX, "time": FIX["time"] + 1, "boot": "b", "seq": 3},
    ]
    decoded = DIALECT.decode(message("tracker", json.dumps(elements).encode(), "position"))
    assert [report.mark.seq for report in decoded.reports if report.mark] == [1, 3]
    (bad,) = decoded.problems
    assert (bad.reason, bad.mark) == (Reason.OUT_OF_RANGE, StreamMark(boot="b", seq=2))


NOT_NUMBERS = [b"NaN", b"Infinity", b"-Infinity", b"1e999"]


@pytest.mark.parametrize("value", NOT_NUMBERS)
def test_a_number_that_is_none_is_refused(value: bytes) -> None:
    assert refusal(b'{"time":1795251600,"lat":%s,"lon":1}' % value) is Reason.NOT_JSON


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 91, -90.001])
def test_a_place_off_the_globe_is_refused_in_cbor_too(value: float) -> None:
    assert refusal(cbor2.dumps({**FIX, "lat": value}), "position", "cbor") is Reason.OUT_OF_RANGE


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"lat": 91}, Reason.OUT_OF_RANGE),
        ({"lon": -180.5}, Reason.OUT_OF_RANGE),
        ({"lat": True}, Reason.WRONG_SHAPE),
        ({"lat": "55.75"}, Reason.WRONG_SHAPE),
        ({"lat": None}, Reason.WRONG_SHAPE),
        ({"lat": 0, "lon": 0}, Reason.NULL_ISLAND),
        ({"time": None}, Reason.WRONG_SHAPE),
        ({"time": True}, Reason.WRONG_SHAPE),
        ({"time": "yesterday"}, Reason.WRONG_SHAPE),
        ({"time": "2026-11-21T08:59:00"}, Reason.WRONG_SHAPE),
        ({"time": 4070908800}, Reason.TIME_IN_FUTURE),
        ({"time": 1795251600000}, Reason.TIME_IN_FUTURE),
        ({"time": "2099-01-01T00:00:00Z"}, Reason.TIME_IN_FUTURE),
        ({"time": 915148800}, Reason.TIME_BEFORE_2000),
        ({"time": -1e300}, Reason.TIME_BEFORE_2000),
        ({"battery_pct": 101}, Reason.OUT_OF_RANGE),
        ({"speed_mps": -1}, Reason.OUT_OF_RANGE),
        ({"altitude_m": 1e30}, Reason.OUT_OF_RANGE),
        ({"charging": 1}, Reason.WRONG_SHAPE),
        ({"sat": 1.5}, Reason.WRONG_SHAPE),
        ({"trigger": "a\0b"}, Reason.WRONG_SHAPE),
        ({"attrs": {"a": "\0"}}, Reason.WRONG_SHAPE),
        ({"attrs": {str(key): 1 for key in range(33)}}, Reason.WRONG_SHAPE),
        ({"attrs": {"a": "x" * 5000}}, Reason.TOO_LARGE),
        ({"attrs": {"a": [[[[[[[[[[1]]]]]]]]]]}}, Reason.WRONG_SHAPE),
        ({"attrs": {"a": 10**30}}, Reason.WRONG_SHAPE),
        ({"attrs": [1]}, Reason.WRONG_SHAPE),
        ({"boot": "b"}, Reason.WRONG_SHAPE),
        ({"seq": 1}, Reason.WRONG_SHAPE),
        ({"boot": "b", "seq": -1}, Reason.OUT_OF_RANGE),
        ({"boot": "b" * 65, "seq": 1}, Reason.OUT_OF_RANGE),
    ],
)
def test_what_cannot_be_true_is_refused(members: dict[str, Any], reason: Reason) -> None:
    assert refusal(fix(**members)) is reason


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", Reason.NOT_JSON),
        (b"online", Reason.NOT_JSON),
        (b"null", Reason.WRONG_SHAPE),
        (b"3", Reason.WRONG_SHAPE),
        (b'"lat"', Reason.WRONG_SHAPE),
        (b'{"lat":1,"lon":1}', Reason.NO_TIME),
        (b'{"time":1795251600,"lat":1}', Reason.WRONG_SHAPE),
        (b'{"time":1795251600,"lat":1,"lon":1,"trigger":"\xff"}', Reason.NOT_TEXT),
        (b'{"time":1795251600,"lat":1,"lon":1,"trigger":"\x00"}', Reason.NOT_JSON),
        (b'{"time":1795251600,"lat":1,"lon":1,"trigger":"\\ud800"}', Reason.NOT_JSON),
        (b'{"time":1795251600,"lat":1,"lon":1,"lat":2}', Reason.NOT_JSON),
        (b'{"time":1795251600,"lat":1,"lon":1,"l\\u0061t":2}', Reason.NOT_JSON),
        (b'{"time":1795251600,"lat":1,"lon":1,"attrs":{"a":1,"a":2}}', Reason.NOT_JSON),
        (b'{"time" :1795251600,"lat":1,"lon":1,"lat":9}', Reason.NOT_JSON),
        (b"[" * 9000, Reason.NOT_JSON),
        (b'{"time":1795251600,"lat":1,"lon":1,"attrs":{"a":' + b"9" * 5000 + b"}}", Reason.NOT_JSON),
        (b" " * 16385, Reason.TOO_LARGE),
        (b"[" + b"1," * 1000 + b"1]", Reason.TOO_LARGE),
    ],
)
def test_what_cannot_be_read_is_refused(payload: bytes, reason: Reason) -> None:
    assert refusal(payload) is reason


def test_colons_in_texts_are_no_keys() -> None:
    (position,) = positions(
        b'{"time":"2026-11-21T08:59:00Z","lat":1,"lon":2,"attrs":{"a:b":"c:d","e":[":"]}}'
    )
    assert position.attrs == {"a:b": "c:d", "e": [":"]}


@pytest.mark.parametrize("tail", [b"\0", cbor2.dumps(FIX)])
def test_a_second_cbor_item_is_not_lost_without_a_word(tail: bytes) -> None:
    assert refusal(cbor2.dumps(FIX) + tail, "position", "cbor") is Reason.NOT_CBOR


@pytest.mark.parametrize(("written", "satellites"), [(7, 7), (7.0, 7), (0, 0)])
def test_whole_numbers_may_be_written_with_a_point(written: float, satellites: int) -> None:
    payload = json.dumps({**FIX, "sat": written}).encode()
    (report,) = DIALECT.decode(message("tracker", payload, "position")).reports
    assert report.position is not None
    assert report.position.satellites == satellites


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\xff",
        bytes.fromhex("a2616101616102"),
        cbor2.dumps({**FIX, "x": datetime(2026, 1, 1, tzinfo=UTC)})[:-1],
        b"\x81" * 5000,
        bytes.fromhex("9bffffffffffffffff"),
        pytest.param(bytes.fromhex("d81c820001"), id="shared reference"),
        pytest.param(bytes.fromhex("d9d9f7a0"), id="self-described"),
        pytest.param(bytes.fromhex("c101"), id="date"),
    ],
)
def test_cbor_that_cannot_be_read_is_refused(payload: bytes) -> None:
    assert refusal(payload, "position", "cbor") is Reason.NOT_CBOR


def test_presence_is_a_fact() -> None:
    (report,) = DIALECT.decode(message("tracker", b"offline", "status")).reports
    assert report.fact == Fact(kind="presence", recorded_at=RECEIVED, data={"online": False})


def test_a_replayed_presence_is_no_news() -> None:
    assert DIALECT.decode(message("tracker", b"online", "status", retained=True)).reports == ()


def test_another_presence_is_refused() -> None:
    assert refusal(b"asleep", "status") is Reason.WRONG_SHAPE


def test_the_result_of_a_command_is_a_fact() -> None:
    payload = json.dumps({"id": "c1", "state": "done", "data": {"pages": 3}, "more": 1}).encode()
    (report,) = DIALECT.decode(message("tracker", payload, "result")).reports
    assert report.fact is not None
    assert report.fact.kind == "result"
    assert report.fact.data == {"id": "c1", "state": "done", "data": {"pages": 3}}


@pytest.mark.parametrize("rest", [(), ("command",), ("ack",), ("position", "xml"), ("position", "")])
def test_a_topic_that_is_not_spoken_on_is_refused(rest: tuple[str, ...]) -> None:
    with pytest.raises(Malformed) as refused:
        DIALECT.decode(message("tracker", fix(), *rest))
    assert refused.value.reason is Reason.BAD_TOPIC


def test_a_refusal_never_quotes_a_value() -> None:
    decoded = DIALECT.decode(message("tracker", fix(lat=91.2345, trigger="secret"), "position"))
    assert "91.2345" not in decoded.problems[0].detail
    assert "secret" not in decoded.problems[0].detail
