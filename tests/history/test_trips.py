"""Trips, and the whole history of a day."""

from itertools import pairwise

import pytest

from tests.history.movement import Walker, day
from tracker.history.trips import history_of


def test_a_day_is_told_as_it_was() -> None:
    told = history_of(day().fixes)
    assert [(trip.starts_after, trip.ends_before) for trip in told.trips] == [
        ("stop", "stop"),
        ("stop", "stop"),
        ("gap", "stop"),
    ]
    assert len(told.stops) == 4
    assert [round(trip.distance_m / 100) for trip in told.trips] == [6, 40, 41]
    (gap,) = told.gaps
    assert gap.reason == "silence"
    assert gap.duration_s > 3600


def test_parking_drift_adds_no_distance_and_makes_no_trip() -> None:
    parked = Walker(noise_m=20.0, accuracy_m=25.0).stay(8 * 3600)
    told = history_of(parked.fixes)
    assert told.trips == ()
    (stop,) = told.stops
    assert stop.duration_s == pytest.approx(8 * 3600, abs=60)


def test_a_parked_receiver_that_wanders_off_and_back_has_not_left() -> None:
    walker = Walker(noise_m=5.0).stay(3600)
    walker.go(130, 0, 1.0).go(0, 0, 1.0).stay(3600)
    told = history_of(walker.fixes)
    assert told.trips == ()
    assert len(told.stops) == 1


def test_noise_does_not_lengthen_a_walk() -> None:
    noisy = Walker(noise_m=8.0, accuracy_m=12.0, every_s=5.0).stay(600).go(3000, 0, 1.3).stay(600)
    (trip,) = history_of(noisy.fixes).trips
    plain_m = sum(
        ((a.lat - b.lat) ** 2 * 111_195**2 + (a.lon - b.lon) ** 2 * 55_310**2) ** 0.5
        for a, b in pairwise(noisy.fixes)
    )
    assert plain_m > 4_500
    assert trip.distance_m == pytest.approx(3000, rel=0.1)


def test_a_spike_is_marked_and_adds_nothing() -> None:
    calm = Walker(noise_m=0.0).stay(600).go(2000, 0, 10.0).stay(600)
    wild = Walker(noise_m=0.0).stay(600).go(1000, 0, 10.0).spike(0, 20_000).go(2000, 0, 10.0).stay(600)
    told = history_of(wild.fixes)
    assert [told.track[number].lat > 60.3 for number in told.wrong] == [True]
    (trip,) = told.trips
    (calm_trip,) = history_of(calm.fixes).trips
    assert trip.distance_m == pytest.approx(calm_trip.distance_m, rel=0.01)


def test_a_confirmed_jump_is_a_gap_and_no_distance() -> None:
    walker = Walker().stay(1200)
    walker.x_m += 200_000
    told = history_of(walker.stay(1200).fixes)
    assert told.wrong == frozenset()
    (gap,) = told.gaps
    assert gap.reason == "jump"
    assert gap.direct_m == pytest.approx(200_000, rel=0.02)
    assert told.trips == ()
    assert len(told.stops) == 2


def test_a_flight_told_on_the_way_is_a_trip() -> None:
    walker = Walker(every_s=60.0).stay(1200).go(0, 600_000, 240.0).stay(1200)
    told = history_of(walker.fixes)
    assert told.gaps == ()
    (trip,) = told.trips
    assert trip.distance_m == pytest.approx(600_000, rel=0.01)


def test_no_straight_line_is_claimed_over_a_gap() -> None:
    walker = Walker().stay(600).go(1000, 0, 10.0).silence(7200)
    walker.x_m = 50_000
    told = history_of(walker.go(51_000, 0, 10.0).stay(600).fixes)
    assert sum(trip.distance_m for trip in told.trips) < 2500
    assert sum(gap.direct_m for gap in told.gaps) == pytest.approx(49_000, rel=0.01)


def test_coarse_fixes_make_no_way_and_are_not_called_wrong() -> None:
    walker = Walker().stay(1200)
    walker.fixes += [fix._replace(recorded_at=fix.recorded_at + 5, lat=fix.lat + 0.02, accuracy_m=2000.0)
                     for fix in walker.fixes[::10]]  # fmt: skip
    told = history_of(walker.fixes)
    assert told.coarse
    assert told.wrong == frozenset()
    assert told.trips == ()


def test_the_odometer_counts_where_it_can_be_right() -> None:
    def ride(odometers_m: list[float]) -> tuple[float, str]:
        walker = Walker(noise_m=0.0, every_s=20).stay(600, odometer_m=odometers_m[0]).go(4000, 0, 10.0)
        walker.stay(600)
        moving = walker.fixes[30:50]
        walker.fixes[30:50] = [
            fix._replace(odometer_m=odometers_m[0] + (odometers_m[1] - odometers_m[0]) * (number + 1) / 20)
            for number, fix in enumerate(moving)
        ]
        walker.fixes[50:] = [fix._replace(odometer_m=odometers_m[1]) for fix in walker.fixes[50:]]
        (trip,) = history_of(walker.fixes).trips
        return trip.distance_m, trip.distance_source

    assert ride([10_000.0, 14_400.0]) == (4400.0, "odometer")
    for wrong in ([10_000.0, 10_000.0], [10_000.0, 0.0], [0.0, 10_000.0]):
        distance_m, source = ride(wrong)
        assert source == "positions"
        assert distance_m == pytest.approx(4000, rel=0.02)


def test_one_wild_speed_is_not_the_top_speed() -> None:
    walker = Walker(noise_m=0.0).stay(600, speed_mps=0.0).go(3000, 0, 10.0, speed_mps=10.0)
    walker.fixes[70] = walker.fixes[70]._replace(speed_mps=90.0)
    (trip,) = history_of(walker.stay(600, speed_mps=0.0).fixes).trips
    assert trip.max_speed_mps == 10.0


def test_no_fixes_tell_nothing() -> None:
    told = history_of([])
    assert (told.trips, told.stops, told.gaps) == ((), (), ())
