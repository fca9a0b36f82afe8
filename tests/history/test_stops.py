"""Stops."""

import pytest

from tests.history.movement import Walker, place
from tracker.history.track import between_m
from tracker.history.trips import history_of


def test_a_stop_begins_and_ends_when_it_did_and_where_it_was() -> None:
    walker = Walker(noise_m=2.0).go(1000, 0, 1.4)
    arrived_s = walker.at_s
    walker.stay(1200)
    left_s = walker.at_s
    (stop,) = history_of(walker.go(2000, 0, 1.4).fixes).stops
    assert stop.started_at == pytest.approx(arrived_s, abs=40)
    assert stop.ended_at == pytest.approx(left_s, abs=40)
    truth = place(0, 1000, 0)
    assert between_m(truth, truth._replace(lat=stop.lat, lon=stop.lon)) < 10


def test_a_traffic_light_is_no_stop_and_a_school_is() -> None:
    walker = Walker().stay(600).go(1000, 0, 8.0).stay(90).go(2000, 0, 8.0).stay(240).go(4000, 0, 8.0)
    told = history_of(walker.stay(600).fixes)
    assert [round(stop.duration_s / 60) for stop in told.stops][1:-1] == [4]
    assert len(told.trips) == 2


def test_with_the_ignition_off_a_short_rest_is_a_stop() -> None:
    def drive(ignition: bool | None) -> int:
        walker = Walker().stay(600).go(1000, 0, 8.0).stay(120, ignition=ignition).go(2000, 0, 8.0)
        return len(history_of(walker.stay(600).fixes).stops)

    assert drive(False) == 3
    assert drive(True) == drive(None) == 2


def test_a_silence_at_one_place_is_time_unknown_and_no_gap() -> None:
    told = history_of(Walker().stay(600).silence(9 * 3600).stay(600).fixes)
    (stop,) = told.stops
    assert told.gaps == ()
    assert stop.unknown_s == pytest.approx(9 * 3600, abs=20)


def test_a_slow_stroll_is_no_stop() -> None:
    told = history_of(Walker(every_s=5).go(1500, 0, 0.9).fixes)
    assert told.stops == ()
    assert len(told.trips) == 1


def test_a_stop_is_where_the_rest_was_and_not_where_the_way_led_past_twice() -> None:
    walker = Walker(every_s=6, noise_m=1).go(400, 0, 1.0).stay(300).go(0, 0, 1.0)
    (stop,) = history_of(walker.fixes).stops
    truth = place(0, 400, 0)
    assert between_m(truth, truth._replace(lat=stop.lat, lon=stop.lon)) < 15
    assert stop.duration_s == pytest.approx(300, abs=90)


def test_a_poor_accuracy_does_not_break_a_stop() -> None:
    told = history_of(Walker(noise_m=35.0, accuracy_m=50.0, every_s=60).stay(6 * 3600).fixes)
    assert len(told.stops) == 1
    assert told.trips == ()


def test_a_stop_on_the_antimeridian_is_one() -> None:
    fixes = [
        fix._replace(lon=180 - 1e-5 if number % 2 else -180 + 1e-5)
        for number, fix in enumerate(Walker().stay(1200).fixes)
    ]
    (stop,) = history_of(fixes).stops
    assert abs(abs(stop.lon) - 180) < 1e-4
    assert stop.radius_m < 20
