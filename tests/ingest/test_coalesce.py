"""What a device says value by value becomes one position a window."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tracker.domain.geo import LatLon
from tracker.domain.position import Position
from tracker.ingest.coalesce import Window, close, fold
from tracker.ingest.dialects._message import Part

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


class Asked:
    """An assembling dialect that makes a position of every window and notes what it was asked."""

    window = SECOND

    def __init__(self) -> None:
        self.questions: list[object] = []

    def assemble(
        self, values: Mapping[str, Any], fresh: frozenset[str], received_at: datetime
    ) -> Position | None:
        self.questions.append((values, fresh, received_at))
        return Position(recorded_at=received_at, at=LatLon(lat=1, lon=2)) if fresh else None


def told(window: Window | None, at: datetime, *, retained: bool = False, **values: Any) -> Window:
    parts = [Part(external_id=None, name=name, value=value) for name, value in values.items()]
    return fold(window, "car", SECOND, parts, at, retained=retained)


def test_the_first_part_sets_when_the_window_closes_and_later_ones_do_not_move_it() -> None:
    window = told(told(None, NOON, lat=1.0), NOON + SECOND / 2, lon=2.0)
    assert window.due_at == NOON + SECOND
    assert not window.is_due(NOON + SECOND / 2)
    assert window.is_due(NOON + SECOND)
    assert window.received_at == NOON + SECOND / 2


def test_a_closed_window_keeps_what_is_known_and_waits_for_nothing() -> None:
    asked = Asked()
    closed, report = close(told(None, NOON, lat=1.0, lon=2.0), asked)
    assert report is not None
    assert closed.due_at is None
    assert not closed.is_due(NOON + timedelta(days=1))
    again = told(closed, NOON + 5 * SECOND, lat=1.5)
    close(again, asked)
    assert asked.questions == [
        ({"lat": 1.0, "lon": 2.0}, frozenset({"lat", "lon"}), NOON),
        ({"lat": 1.5, "lon": 2.0}, frozenset({"lat"}), NOON + 5 * SECOND),
    ]


def test_a_replay_is_known_but_not_fresh() -> None:
    window = told(told(None, NOON, retained=True, lat=1.0), NOON, lon=2.0)
    assert window.values == {"lat": 1.0, "lon": 2.0}
    assert window.fresh == {"lon"}
    _, report = close(told(None, NOON, retained=True, lat=1.0), Asked())
    assert report is None


def test_a_value_taken_back_is_unknown_from_then_on() -> None:
    window = told(told(None, NOON, speed=3.0), NOON, speed=None)
    assert window.values == {}
    assert window.fresh == {"speed"}


def test_nothing_said_opens_no_window() -> None:
    assert told(None, NOON).due_at is None


def test_a_device_that_speaks_another_dialect_begins_anew() -> None:
    window = replace(told(None, NOON, lat=1.0), dialect="boat")
    assert told(window, NOON + SECOND, lon=2.0).values == {"lon": 2.0}


NAMES = st.sampled_from(["lat", "lon", "speed"])
VALUES = st.none() | st.booleans() | st.floats(allow_nan=False)


@settings(max_examples=60, deadline=None)
@given(parts=st.dictionaries(NAMES, VALUES, min_size=1), cut=st.integers(0, 3))
def test_how_parts_are_spread_over_messages_does_not_matter(parts: dict[str, Any], cut: int) -> None:
    names = list(parts)
    at_once = told(None, NOON, **parts)
    first = told(None, NOON, **{name: parts[name] for name in names[:cut]})
    assert told(first, NOON, **{name: parts[name] for name in names[cut:]}) == at_once
