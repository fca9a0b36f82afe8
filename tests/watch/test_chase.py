"""The live chase: disc, budget, end."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tracker.store.chases import Chase
from tracker.watch.chase import DISC_MOST_M, Ending, disc_radius_m, ending, interval_s

BEGIN = datetime(2026, 6, 1, 12, tzinfo=UTC)
CHASE = Chase(
    account_id="a" * 16,
    chase_id="c" * 16,
    event_id="e" * 16,
    device_id="d" * 16,
    report_every_s=15,
    battery_start_pct=80.0,
    battery_least_pct=15.0,
    started_at=BEGIN,
    ends_at=BEGIN + timedelta(hours=2),
)


def test_the_disc_grows_with_time_and_is_never_smaller_than_the_error() -> None:
    radii_m = [disc_radius_m(10.0, since_s) for since_s in (-5, 0, 10, 60, 600, 10**6)]
    assert radii_m == sorted(radii_m)
    assert radii_m[0] == radii_m[1] == 20.0
    assert radii_m[-1] == DISC_MOST_M


def test_an_accuracy_that_is_not_told_is_no_zero() -> None:
    assert disc_radius_m(None, 0.0) > disc_radius_m(1.0, 0.0)


def test_a_battery_that_lasts_is_asked_as_often_as_wished() -> None:
    assert interval_s(CHASE, 75.0, BEGIN + timedelta(minutes=30)) == 15
    assert interval_s(CHASE, None, BEGIN + timedelta(minutes=30)) == 15
    assert interval_s(replace(CHASE, battery_start_pct=None), 20.0, BEGIN + timedelta(minutes=30)) == 15


def test_a_start_that_was_rounded_is_no_drain() -> None:
    # 77.6 % is told as 80 when the chase begins.
    assert interval_s(CHASE, 77.6, BEGIN + timedelta(seconds=5)) == 15


def test_a_battery_that_would_not_last_is_asked_more_rarely() -> None:
    # 40 % in half an hour: 120 more for the rest, 25 to spare.
    assert interval_s(CHASE, 40.0, BEGIN + timedelta(minutes=30)) == pytest.approx(15 * 120 / 25)


def test_it_is_asked_every_ten_minutes_at_least() -> None:
    assert interval_s(CHASE, 15.0, BEGIN + timedelta(minutes=10)) == 600


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({}, None),
        ({"caught": True, "called_off": True}, Ending.CAUGHT),
        ({"called_off": True}, Ending.CALLED_OFF),
        ({"now": CHASE.ends_at}, Ending.TIME),
        ({"battery_pct": 15.0}, Ending.BATTERY),
        ({"battery_pct": 15.1}, None),
    ],
)
def test_a_chase_ends_when_it_should(said: dict[str, object], expected: Ending | None) -> None:
    given = {"caught": False, "called_off": False, "battery_pct": None, "now": BEGIN} | said
    assert ending(CHASE, **given) is expected  # type: ignore[arg-type]
