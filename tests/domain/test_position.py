from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.domain.errors import Malformed, Reason
from tracker.domain.position import (
    EARLIEST,
    FUTURE_TOLERANCE,
    LIVE_FOR,
    STALE_FOR,
    Freshness,
    freshness,
    plausible_time,
)

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("recorded_at", "expected"),
    [
        (None, Freshness.NEVER),
        (NOW, Freshness.LIVE),
        (NOW + FUTURE_TOLERANCE, Freshness.LIVE),
        (NOW - LIVE_FOR, Freshness.LIVE),
        (NOW - LIVE_FOR - SECOND, Freshness.STALE),
        (NOW - STALE_FOR, Freshness.STALE),
        (NOW - STALE_FOR - SECOND, Freshness.SILENT),
    ],
)
def test_freshness_goes_by_age(recorded_at: datetime | None, expected: Freshness) -> None:
    assert freshness(recorded_at, NOW) is expected


@given(st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=3000)), st.timedeltas(timedelta(0)))
def test_freshness_never_grows_with_age(age: timedelta, older: timedelta) -> None:
    order = list(Freshness)
    try:
        later = NOW - age - older
    except OverflowError:
        return
    assert order.index(freshness(NOW - age, NOW)) <= order.index(freshness(later, NOW))


def test_a_clock_two_minutes_ahead_is_believed() -> None:
    assert plausible_time(NOW + FUTURE_TOLERANCE, NOW) == NOW + FUTURE_TOLERANCE


@pytest.mark.parametrize(
    ("recorded_at", "reason"),
    [
        (NOW + FUTURE_TOLERANCE + SECOND, Reason.TIME_IN_FUTURE),
        (datetime(2099, 1, 1, tzinfo=UTC), Reason.TIME_IN_FUTURE),
        (EARLIEST - SECOND, Reason.TIME_BEFORE_2000),
    ],
)
def test_impossible_times_are_refused_with_the_reason(recorded_at: datetime, reason: Reason) -> None:
    with pytest.raises(Malformed) as refused:
        plausible_time(recorded_at, NOW)
    assert refused.value.reason is reason
    assert str(recorded_at.year) not in str(refused.value)
