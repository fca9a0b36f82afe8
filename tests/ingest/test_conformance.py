"""Whatever a device sends, a dialect answers with reports, problems or Malformed, and nothing else."""

import json
import math
from collections.abc import Mapping
from typing import Any

import cbor2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.ingest.messages import RECEIVED, message
from tracker import registry
from tracker.domain.errors import Malformed
from tracker.domain.position import EARLIEST, FUTURE_TOLERANCE, Report
from tracker.ingest.dialects._message import Dialect

DIALECTS = registry.load("tracker.ingest.dialects", "DIALECT")
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
NAMES = st.sampled_from(
    [
        *(
            "_type",
            "lat",
            "lon",
            "tst",
            "time",
            "acc",
            "alt",
            "vel",
            "cog",
            "batt",
            "bs",
            "t",
            "conn",
            "data",
        ),
        *(
            "attrs",
            "boot",
            "seq",
            "sat",
            "sim",
            "trigger",
            "event",
            "desc",
            "rad",
            "waypoints",
            "ssid",
            "mcc",
        ),
    ]
)
KINDS = st.sampled_from(
    [
        *("location", "lwt", "transition", "waypoint", "waypoints", "steps", "beacon", "status", "request"),
        *("card", "encrypted", "configuration", "cmd"),
    ]
)
VALUES = st.recursive(
    SCALARS | KINDS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(NAMES | st.text(max_size=5), inner, max_size=8)
    ),
    max_leaves=20,
)
RESTS = st.sampled_from(
    [
        *((), ("position",), ("position", "cbor"), ("status",), ("result",), ("event",), ("waypoints",)),
        *(("cmd",), ("dump",), ("info",), ("unheard", "of")),
    ]
)


@pytest.fixture(params=DIALECTS.values(), ids=lambda dialect: dialect.name)
def dialect(request: pytest.FixtureRequest) -> Dialect:
    found: Dialect = request.param
    return found


def test_its_subscriptions_lie_below_its_root_and_ask_for_every_shard(dialect: Dialect) -> None:
    assert dialect.topics
    assert all(each.startswith(f"{dialect.root}/+/+") for each in dialect.topics)
    assert all("#" not in each and not each.startswith("$") for each in dialect.topics)


@settings(max_examples=100, deadline=None)
@given(payload=st.binary(max_size=200), rest=RESTS, retained=st.booleans())
def test_any_bytes_are_decoded_or_refused(payload: bytes, rest: tuple[str, ...], retained: bool) -> None:
    for each in DIALECTS.values():
        check(each, payload, rest, retained)


@settings(max_examples=150, deadline=None)
@given(value=VALUES, rest=RESTS)
def test_any_json_is_decoded_or_refused(value: Any, rest: tuple[str, ...]) -> None:
    for each in DIALECTS.values():
        check(each, json.dumps(value).encode(), rest, False)


@settings(max_examples=100, deadline=None)
@given(value=VALUES)
def test_any_cbor_is_decoded_or_refused(value: Any) -> None:
    for each in DIALECTS.values():
        check(each, cbor2.dumps(value), ("position", "cbor"), False)


@settings(max_examples=100, deadline=None)
@given(
    value=st.fixed_dictionaries(
        {
            "_type": KINDS,
            "lat": st.floats(-90, 90),
            "lon": st.floats(-180, 180),
            "tst": st.integers(946684800, 1795251600),
            "time": st.integers(946684800, 1795251600),
        },
        optional=dict.fromkeys(("acc", "attrs", "trigger", "bs", "poi", "accuracy_m", "boot", "seq"), VALUES),
    ),
    rest=RESTS,
)
def test_any_plausible_object_is_decoded_or_refused(value: Any, rest: tuple[str, ...]) -> None:
    for each in DIALECTS.values():
        check(each, json.dumps(value).encode(), rest, False)


def check(dialect: Dialect, payload: bytes, rest: tuple[str, ...], retained: bool) -> None:
    try:
        decoded = dialect.decode(message(dialect.root or "gateway", payload, *rest, retained=retained))
    except Malformed:
        return
    for report in decoded.reports:
        check_report(report)


def check_report(report: Report) -> None:
    if report.fact is not None:
        assert EARLIEST <= report.fact.recorded_at <= RECEIVED + FUTURE_TOLERANCE * 2
        check_storable(report.fact.data)
    fix = report.position
    if fix is None:
        return
    assert EARLIEST <= fix.recorded_at <= RECEIVED + FUTURE_TOLERANCE
    assert (fix.at.lat, fix.at.lon) != (0, 0)
    assert fix.accuracy_m is None or 0 < fix.accuracy_m < 1e8
    assert fix.course_deg is None or 0 <= fix.course_deg < 360
    assert fix.battery_pct is None or 0 <= fix.battery_pct <= 100
    assert fix.satellites is None or 0 <= fix.satellites < 2**15
    for value in (fix.network, fix.attrs, {"trigger": fix.trigger}):
        check_storable(value)


def check_storable(value: Mapping[str, Any]) -> None:
    """What jsonb takes: finite numbers, texts without NUL and lone surrogates."""
    text = json.dumps(value, allow_nan=False, ensure_ascii=False)
    text.encode()
    assert "\\u0000" not in text
    assert all(math.isfinite(each) for each in value.values() if isinstance(each, float))
