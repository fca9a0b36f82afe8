"""What each kind of rule without a place tells, and what not."""

from tests.watch.rules.driving import BEGIN_S, Driven
from tracker.watch.rules import (
    battery,
    harsh_driving,
    ignition,
    long_stop,
    maintenance,
    moves_without_owner,
    silence,
    sim_changed,
    sos,
    speed,
    travelling_along,
)

OWNER = "c" * 16
NORTH_DEG_PER_M = 1 / 111_195


def test_a_call_for_help_that_is_repeated_is_one_call() -> None:
    driven = Driven(sos.RULE).move(0)
    for at_s in range(10, 600, 60):
        driven.move(at_s, alarm="SOS")
    assert driven.told == [("sos", 10)]


def test_a_call_for_help_after_five_quiet_minutes_is_a_new_one() -> None:
    assert Driven(sos.RULE).hear(0, "sos").hear(301, "sos").told == [("sos", 0), ("sos", 301)]


def test_the_first_word_of_the_ignition_is_no_switching() -> None:
    driven = Driven(ignition.RULE).move(0, ignition=True).move(10, ignition=True).move(20, ignition=False)
    assert driven.told == [("ignition_off", 20)]


def test_only_the_edge_asked_for_is_told() -> None:
    driven = Driven(ignition.RULE, edge="on").move(0, ignition=True).move(10, ignition=False)
    assert driven.move(20, ignition=True).told == [("ignition_on", 20)]


def test_a_battery_that_wavers_about_the_limit_is_told_once() -> None:
    driven = Driven(battery.RULE)
    for at_s, level in enumerate((50, 14, 16, 14, 20, 13)):
        driven.move(at_s, battery_pct=float(level))
    assert driven.told == [("battery_low", 1)]
    assert driven.move(10, battery_pct=80.0).move(11, battery_pct=9.0).told[-1] == ("battery_low", 11)


def test_a_charging_battery_is_not_low() -> None:
    assert Driven(battery.RULE).move(0, battery_pct=5.0, charging=True).told == []


def test_another_card_is_told_and_no_card_is_not() -> None:
    driven = (
        Driven(sim_changed.RULE).move(0, sim="8970199").move(10).move(20, sim="8970199").move(30, sim="8944")
    )
    assert driven.told == [("sim_changed", 30)]
    assert "8944" not in str(driven.state), "a card is the name of a person"


def test_silence_is_told_once_and_ends_with_the_next_word() -> None:
    driven = Driven(silence.RULE, after_s=600).move(0).wait(599)
    assert driven.told == []
    driven.wait(5000).wait(9000).move(10_000)
    assert driven.told == [("silent", 600), ("heard_again", 10_000)]
    assert driven.raised[0].slot == driven.raised[1].slot


def test_one_of_two_devices_that_speaks_is_no_silence() -> None:
    driven = Driven(silence.RULE, after_s=600).move(0).move(1, by="2" * 16)
    for at_s in range(100, 2000, 100):
        driven.move(at_s, by="2" * 16)
    assert driven.told == []


def test_a_subject_that_was_never_heard_is_not_silent() -> None:
    assert Driven(silence.RULE).wait(10**6).told == []


def test_one_fast_fix_is_no_speeding() -> None:
    driven = Driven(speed.RULE, limit_mps=20.0)
    driven.move(0, speed_mps=15.0).move(5, speed_mps=40.0).move(10, speed_mps=15.0)
    assert driven.told == []


def test_speeding_is_told_once_a_run_with_the_highest_speed() -> None:
    driven = Driven(speed.RULE, limit_mps=20.0)
    for at_s in range(0, 60, 5):
        driven.move(at_s, speed_mps=25.0 + at_s / 10)
    assert driven.told == [("speeding", 0)]
    assert driven.raised[0].data["speed_mps"] == 26.0


def test_a_little_too_fast_is_within_the_tolerance() -> None:
    driven = Driven(speed.RULE, limit_mps=20.0)
    for at_s in range(0, 60, 5):
        driven.move(at_s, speed_mps=20.9)
    assert driven.told == []


def test_two_fast_fixes_far_apart_say_nothing_of_between() -> None:
    driven = Driven(speed.RULE, limit_mps=20.0).move(0, speed_mps=30.0).move(1000, speed_mps=30.0)
    assert driven.told == []


def test_who_reports_rarely_was_too_fast_if_the_way_between_took_that_speed() -> None:
    driven = Driven(speed.RULE, limit_mps=20.0)
    for at_s in range(0, 1200, 300):
        driven.move(at_s, 55.0 + 30 * at_s * NORTH_DEG_PER_M, speed_mps=30.0, accuracy_m=10.0)
    assert driven.told == [("speeding", 0)]


def test_who_reports_rarely_and_went_slower_between_was_not() -> None:
    driven = Driven(speed.RULE, limit_mps=20.0)
    for at_s in range(0, 1200, 300):
        driven.move(at_s, 55.0 + 20 * at_s * NORTH_DEG_PER_M, speed_mps=30.0, accuracy_m=10.0)
    assert driven.told == []


def test_hard_braking_is_one_event() -> None:
    driven = Driven(harsh_driving.RULE)
    for at_s, mps in enumerate((20.0, 15.0, 10.0, 5.0, 0.0)):
        driven.move(at_s, speed_mps=mps)
    assert driven.told == [("harsh_braking", 1)]


def test_speeds_a_minute_apart_tell_no_acceleration() -> None:
    assert Driven(harsh_driving.RULE).move(0, speed_mps=0.0).move(60, speed_mps=30.0).told == []


def test_what_the_device_measured_counts_before_what_speeds_say() -> None:
    driven = Driven(harsh_driving.RULE).move(0, speed_mps=20.0).move(1, speed_mps=20.0, accel_mps2=5.0)
    assert driven.told == [("harsh_acceleration", 1)]


def test_a_service_is_told_when_the_odometer_passes_it_and_not_again() -> None:
    driven = Driven(maintenance.RULE, every_km=10_000.0, since_km=5_000.0)
    for at_s, kilometres in enumerate((14_000, 14_990, 15_010, 14_999, 15_020, 25_001)):
        driven.move(at_s, odometer_m=kilometres * 1000.0)
    assert driven.told == [("maintenance_due", 2), ("maintenance_due", 5)]
    assert driven.raised[0].data["due_km"] == 15_000


def test_a_service_due_before_the_first_reading_is_not_told() -> None:
    assert Driven(maintenance.RULE, every_km=10_000.0).move(0, odometer_m=123_000_000.0).told == []


def test_a_long_stop_is_told_when_it_is_long() -> None:
    driven = Driven(long_stop.RULE, stop_s=3600)
    for at_s in range(0, 3600, 300):
        driven.move(at_s, 60.0 + 10 * NORTH_DEG_PER_M * (at_s % 2), accuracy_m=10.0)
    assert driven.told == []
    assert driven.wait(3601).wait(9000).told == [("long_stop", 3600)]


def test_a_stay_in_a_place_of_the_family_is_no_long_stop() -> None:
    driven = Driven(long_stop.RULE, stop_s=3600).cross(0, "in")
    for at_s in range(0, 9000, 300):
        driven.move(at_s)
    assert driven.told == []


def test_of_who_went_silent_a_stop_is_told_only_when_he_is_heard_there_again() -> None:
    driven = Driven(long_stop.RULE, stop_s=7200).move(0).move(300).wait(20_000)
    assert driven.told == []
    driven.move(20_001)
    assert driven.told == [("long_stop", 7200)]
    assert driven.raised[0].decided_at_s == BEGIN_S + 20_001


def test_going_on_ends_a_stop() -> None:
    driven = Driven(long_stop.RULE, stop_s=3600)
    for at_s in range(0, 9000, 300):
        driven.move(at_s, 60.0 + at_s * NORTH_DEG_PER_M)
    assert driven.told == []


def ride(driven: Driven, begin_s: float, end_s: float, mps: float, begin_m: float = 0.0) -> None:
    at_s = begin_s
    while at_s <= end_s:
        driven.move(at_s, 60.0 + (begin_m + (at_s - begin_s) * mps) * NORTH_DEG_PER_M, accuracy_m=10.0)
        at_s += 30


def test_a_bicycle_that_rides_off_without_its_owner_is_told_once() -> None:
    driven = Driven(moves_without_owner.RULE, owner_subject_id=OWNER).move(0).near(10, OWNER, 5.0)
    driven.move(600).near(600, OWNER, 900.0)
    ride(driven, 1000, 1300, 5.0)
    assert [kind for kind, _ in driven.told] == ["moved_without_owner"]


def test_a_bicycle_whose_owner_goes_away_stands_still_and_is_not_told() -> None:
    driven = Driven(moves_without_owner.RULE, owner_subject_id=OWNER).move(0).near(10, OWNER, 5.0)
    for at_s in range(60, 6000, 60):
        driven.near(at_s, OWNER, float(at_s)).move(at_s + 1, accuracy_m=20.0)
    assert driven.told == []


def test_riding_with_its_owner_is_not_told() -> None:
    driven = Driven(moves_without_owner.RULE, owner_subject_id=OWNER).move(0)
    for at_s in range(60, 3000, 60):
        driven.near(at_s, OWNER, 20.0).move(at_s + 1, 60.0 + at_s * 5 * NORTH_DEG_PER_M)
    assert driven.told == []


def test_somebody_else_is_not_the_owner() -> None:
    driven = Driven(moves_without_owner.RULE, owner_subject_id=OWNER).move(0).near(10, "9" * 16, 9000.0)
    ride(driven, 1000, 1300, 5.0)
    assert driven.told == []


def test_a_strange_tracker_along_the_way_is_told_once() -> None:
    driven = Driven(travelling_along.RULE)
    for at_s in range(0, 7200, 120):
        driven.move(at_s, 60.0 + at_s * NORTH_DEG_PER_M).hear(at_s + 1, "seen", tracker="aa:bb", rssi_dbm=-60)
    assert [kind for kind, _ in driven.told] == ["travelling_along"]
    assert "aa:bb" not in str(driven.state)


def test_a_tracker_at_home_does_not_travel() -> None:
    driven = Driven(travelling_along.RULE)
    for at_s in range(0, 7200, 120):
        driven.move(at_s).hear(at_s + 1, "seen", tracker="aa:bb")
    assert driven.told == []


def test_a_tracker_lost_from_sight_begins_anew() -> None:
    driven = Driven(travelling_along.RULE)
    for at_s in (0, 1000, 2000, 3000):
        driven.move(at_s, 60.0 + at_s * NORTH_DEG_PER_M).hear(at_s + 1, "seen", tracker="aa:bb")
    assert driven.told == []
