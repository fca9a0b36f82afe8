from datetime import UTC, datetime
from typing import Any

import pytest

from tests.ingest.messages import RECEIVED
from tracker.domain.device import SpeedUnit
from tracker.domain.errors import Malformed, Reason
from tracker.ingest.dialects._fields import (
    as_number,
    collected,
    course_deg,
    extras,
    fact_time,
    identity,
    moment_of,
    percent_of,
    place,
    speed_mps,
    told_apart,
    truth,
)
from tracker.ingest.dialects._message import NOTHING

MOMENT = datetime(2026, 11, 21, 8, 30, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "value"),
    [
        (7, 7.0),
        (5.0012345e7, 50012345.0),
        ("7.5", None),
        (True, None),
        (None, None),
        (10**400, None),
        ([1], None),
    ],
)
def test_a_number_is_a_number(written: Any, value: float | None) -> None:
    assert as_number(written) == value


@pytest.mark.parametrize(
    ("written", "value"),
    [
        *(("7.5", 7.5), ("-1e3", -1000.0), (" 12 ", 12.0), (".5", 0.5)),
        *((text, None) for text in ("", "1_000", "nan", "inf", "1e999", "٧", "7 km", "0x10", "1" * 100)),
    ],
)
def test_a_number_in_quotes_is_decimal(written: str, value: float | None) -> None:
    assert as_number(written, strings=True) == value


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("2026-11-21T08:30:15Z", MOMENT),
        ("2026-11-21T08:30:15+00:00", MOMENT),
        ("2026-11-21T08:30:15.000+0000", MOMENT),
        ("2026-11-21T11:30:15+03", MOMENT),
        ("2026-11-21T01:00:15-07:30", MOMENT),
        ("2026-11-21 08:30:15", MOMENT),
        ("2026-11-21 08:30:15 UTC", MOMENT),
        ("2026-11-21T08:30", MOMENT.replace(second=0)),
        ("2026-11-21T08:30:15.123456789Z", MOMENT.replace(microsecond=123456)),
        ("2026-11-21T08:30:15,5Z", MOMENT.replace(microsecond=500_000)),
        ("2026-11-21T08:29:60Z", MOMENT.replace(second=0)),
        (1795249815, MOMENT),
        (1795249815.25, MOMENT.replace(microsecond=250_000)),
        (1795249815250, MOMENT.replace(microsecond=250_000)),
        ("1795249815", MOMENT),
        ("1795249815250", MOMENT.replace(microsecond=250_000)),
    ],
)
def test_a_moment_is_read_in_every_spelling(written: Any, moment: datetime) -> None:
    assert moment_of(written) == moment


@pytest.mark.parametrize(
    "written",
    [
        *(None, "", "soon", True, [], "2026-11-21", "2026-13-21T08:30:15Z", "2026-11-21T25:30:15Z"),
        *("2026-11-21T08:30:15+99:99", "0001-01-01T00:00:00+14:00", "２026-11-21T08:30:15Z"),
    ],
)
def test_what_is_no_moment_is_refused(written: Any) -> None:
    with pytest.raises(Malformed) as refused:
        moment_of(written)
    assert refused.value.reason is Reason.NO_TIME


def test_a_fact_without_a_time_that_can_be_right_is_of_now() -> None:
    assert fact_time("soon", RECEIVED) == RECEIVED
    assert fact_time(4070908800, RECEIVED) == RECEIVED
    assert fact_time("2026-11-21T08:30:15Z", RECEIVED) == MOMENT


@pytest.mark.parametrize(
    ("unit", "mps"),
    [
        (SpeedUnit.MPS, 20.0),
        (SpeedUnit.KMH, 5.5555556),
        (SpeedUnit.KNOTS, 10.2888889),
        (SpeedUnit.MPH, 8.9408),
    ],
)
def test_a_speed_is_metres_per_second(unit: SpeedUnit, mps: float) -> None:
    assert speed_mps(20, unit) == pytest.approx(mps)
    assert speed_mps(-1, unit) is None
    assert speed_mps(1e9, unit) is None


def test_a_course_is_below_360_and_a_negative_one_unknown() -> None:
    assert [course_deg(each) for each in (0, 359.5, 360, 450, -1, None)] == [0, 359.5, 0, 90, None, None]


def test_a_fraction_is_per_cent_without_a_rest() -> None:
    assert [percent_of(each) for each in (0.79, 0.29, 0.57, 1, 0)] == [79, 29, 57, 100, 0]
    assert [percent_of(each) for each in (-1, 1.5, None)] == [None, None, None]


def test_truth_is_read_as_devices_write_it() -> None:
    assert all(truth(each) is True for each in (True, 1, "1", "true", "Yes", "ON"))
    assert all(truth(each) is False for each in (False, 0, "0", "false", "No", "off"))
    neither: list[Any] = [2, "", "maybe", None, [], {}]
    assert all(truth(each) is None for each in neither)


def test_an_identity_is_a_short_text_or_a_number() -> None:
    assert identity(123456) == "123456"
    assert identity(" van 7 ") == "van 7"
    assert [identity(each) for each in ("", "  ", None, True, -1, 1.5, "x" * 129, "a\0", "\ud800")] == [
        None
    ] * 9


def test_a_place_on_the_equator_is_one_and_0_0_is_none() -> None:
    assert place(0, 9) is not None
    assert place(51.5, 0) is not None
    assert place(0.0, -0.0) is None


@pytest.mark.parametrize(
    ("lat", "lon", "reason"),
    [
        (None, 1, Reason.WRONG_SHAPE),
        (True, 1, Reason.WRONG_SHAPE),
        ("1", 1, Reason.WRONG_SHAPE),
        (91, 0, Reason.OUT_OF_RANGE),
        (0, -180.5, Reason.OUT_OF_RANGE),
    ],
)
def test_what_is_no_place_is_refused(lat: Any, lon: Any, reason: Reason) -> None:
    with pytest.raises(Malformed) as refused:
        place(lat, lon)
    assert refused.value.reason is reason


def test_extras_are_bounded_by_number_size_depth_and_characters() -> None:
    assert len(extras({str(number): number for number in range(100)})) == 32
    assert extras({"big": "x" * 5000, "small": 1, "nul": "\0", "huge": 2**64, "none": None}) == {"small": 1}
    deep: Any = 1
    for _ in range(20):
        deep = [deep]
    assert extras({"deep": deep, "taken": 1, "left": 2}, {"taken"}) == {"left": 2}


def test_two_facts_of_one_moment_are_told_apart_and_one_told_twice_is_one() -> None:
    moment = MOMENT.replace(microsecond=285_999)
    first, second = {"type": "ignitionOn"}, {"type": "deviceMoving"}
    assert told_apart(moment, first, step_us=1000) != told_apart(moment, second, step_us=1000)
    assert told_apart(moment, first, step_us=1000) == told_apart(moment, dict(first), step_us=1000)
    assert told_apart(moment, first, step_us=1000).microsecond // 1000 == 285


def test_elements_are_bounded() -> None:
    with pytest.raises(Malformed) as refused:
        collected([0] * 1001, lambda _: NOTHING)
    assert refused.value.reason is Reason.TOO_LARGE
