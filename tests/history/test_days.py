"""Local days."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from tests.history.movement import Walker
from tracker.history.days import days_of, local_days
from tracker.history.trips import history_of

MOSCOW = ZoneInfo("Europe/Moscow")
NEW_YORK = ZoneInfo("America/New_York")


def test_a_day_is_of_its_zone_and_an_hour_longer_when_clocks_go_back() -> None:
    since, until = datetime(2026, 10, 31, 12, tzinfo=UTC), datetime(2026, 11, 3, 4, tzinfo=UTC)
    days = local_days(since, until, NEW_YORK)
    assert [day.isoformat() for day, _, _ in days] == ["2026-10-31", "2026-11-01", "2026-11-02"]
    assert [round((end - start) / 3600) for _, start, end in days] == [24, 25, 24]


def test_a_span_that_ends_at_midnight_does_not_touch_the_next_day() -> None:
    since, until = datetime(2026, 5, 1, 21, tzinfo=UTC), datetime(2026, 5, 2, 21, tzinfo=UTC)
    assert [day.isoformat() for day, _, _ in local_days(since, until, MOSCOW)] == ["2026-05-02"]


def test_a_trip_over_midnight_is_shared_by_both_days() -> None:
    midnight_s = datetime(2026, 5, 2, 21, tzinfo=UTC).timestamp()
    walker = Walker(noise_m=0, at_s=midnight_s - 1000 - 1200).stay(1200).go(20_000, 0, 10.0).stay(1200)
    history = history_of(walker.fixes)
    spans = local_days(
        datetime.fromtimestamp(walker.fixes[0].recorded_at, UTC),
        datetime.fromtimestamp(walker.fixes[-1].recorded_at, UTC),
        MOSCOW,
    )
    first, second = days_of({"a": history}, spans)
    assert first.distance_m == pytest.approx(10_000, rel=0.01)
    assert first.distance_m + second.distance_m == pytest.approx(history.trips[0].distance_m)
    assert (first.trip_count, second.trip_count) == (1, 0)
    assert first.stopped_s == pytest.approx(1200, abs=30)


def test_silence_is_neither_stopped_nor_moving() -> None:
    walker = Walker(at_s=datetime(2026, 5, 2, 0, tzinfo=UTC).timestamp()).stay(3600).silence(7200).stay(3600)
    spans = local_days(datetime(2026, 5, 2, tzinfo=UTC), datetime(2026, 5, 3, tzinfo=UTC), ZoneInfo("UTC"))
    (day,) = days_of({"a": history_of(walker.fixes)}, spans)
    assert day.stopped_s == pytest.approx(7200, abs=60)
    assert day.unknown_s == pytest.approx(7200, abs=60)
    assert day.moving_s == 0


def test_a_day_is_told_by_the_device_that_knows_most_of_it() -> None:
    start_s = datetime(2026, 5, 2, 6, tzinfo=UTC).timestamp()
    spans = local_days(datetime(2026, 5, 2, tzinfo=UTC), datetime(2026, 5, 3, tzinfo=UTC), ZoneInfo("UTC"))
    little = history_of(Walker(at_s=start_s).stay(600).fixes)
    much = history_of(Walker(at_s=start_s).stay(6000).fixes)
    (day,) = days_of({"a": little, "b": much}, spans)
    assert (day.device_id, day.device_count) == ("b", 2)


def test_a_day_of_which_nothing_is_known_is_not_told() -> None:
    spans = local_days(datetime(2026, 5, 2, tzinfo=UTC), datetime(2026, 5, 3, tzinfo=UTC), ZoneInfo("UTC"))
    assert days_of({"a": history_of(Walker().stay(600).fixes)}, spans) == []
