"""What the folds take of a position: the same for one just received and one read back."""

import struct
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.domain.geo import LatLon
from tracker.domain.observation import observed
from tracker.domain.position import Position

NOON = datetime(2026, 3, 2, 12, 0, 0, 123_456, tzinfo=UTC)


def position(**more: Any) -> Position:
    return Position(recorded_at=NOON, at=LatLon(lat=59.9, lon=30.3), **more)


@given(st.floats(0, 1e6))
def test_number_read_back_from_four_bytes_is_the_number_received(accuracy_m: float) -> None:
    stored = struct.unpack("f", struct.pack("f", accuracy_m))[0]
    shortest = float(f"{stored:.9g}")

    live = observed(position(accuracy_m=accuracy_m))
    assert live == observed(position(accuracy_m=stored)) == observed(position(accuracy_m=shortest))


def test_moment_keeps_its_microseconds() -> None:
    assert datetime.fromtimestamp(observed(position()).at_s, UTC) == NOON


@pytest.mark.parametrize("odd", [float("nan"), float("inf"), 1e300])
def test_number_that_cannot_be_stored_is_unknown(odd: float) -> None:
    assert observed(position(speed_mps=odd)).speed_mps is None


@pytest.mark.parametrize("trigger", ["sos", "alarm"])
def test_button_is_a_cry(trigger: str) -> None:
    assert observed(position(trigger=trigger, attrs={"alarm": 1})).alarm == "sos"


def test_named_alarm_is_told_as_it_is() -> None:
    assert observed(position(attrs={"alarm": "tow"})).alarm == "tow"


@pytest.mark.parametrize("odd", [1, True, [], {}, None, ""])
def test_odd_attributes_are_unknown(odd: object) -> None:
    found = observed(position(attrs={"alarm": odd, "iccid": odd}, network={"sim": odd}))

    assert (found.alarm, found.sim) == (None, None)
    assert observed(position(attrs={"accel_mps2": odd if odd != 1 else "1"})).accel_mps2 is None


def test_card_is_of_the_network_or_else_of_the_device() -> None:
    assert observed(position(network={"sim": "a"}, attrs={"iccid": "b"})).sim == "a"
    assert observed(position(attrs={"iccid": "b"})).sim == "b"
