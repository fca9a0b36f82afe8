import pytest

from tests.geofence.rules.day import Day, clock


def parked(**more: object) -> Day:
    """A car that came at 20:00 and has reported from its place till 21:00."""
    return Day("parked_moved").reports("20:00", "21:00", 0, **more)  # type: ignore[arg-type]


def towed(day: Day, **more: object) -> Day:
    day.is_at(clock("22:00"), 300, **more).is_at(clock("22:01"), 900, **more)  # type: ignore[arg-type]
    return day


def test_a_parked_car_that_moves_is_an_alarm_when_a_second_fix_agrees() -> None:
    day = parked().is_at("22:00", 300)
    assert day.tells() == []
    (raised,) = day.is_at("22:01", 900).told()
    assert (raised.type, raised.at_s, raised.decided_at_s) == (
        "moved_while_parked",
        clock("22:00"),
        clock("22:01"),
    )
    assert 895 < raised.data["away_m"] < 905
    assert raised.data["parked_s"] == 2 * 3600
    assert len(raised.why) == 3


def test_it_is_told_once_while_it_is_driven_away() -> None:
    day = towed(parked())
    for minute in range(2, 20):
        day.is_at(f"22:{minute:02d}", 900.0 + 500 * minute)
    assert len(day.told()) == 1


@pytest.mark.parametrize("north_m", [20.0, 70.0, -85.0])
def test_a_drifting_receiver_is_no_moving_car(north_m: float) -> None:
    day = parked()
    for minute in range(30):
        day.is_at(f"22:{minute:02d}", north_m)
    assert day.tells() == []


def test_an_echo_of_one_fix_or_of_some_seconds_is_not() -> None:
    assert parked().is_at("22:00", 300).is_at("22:05", 0).is_at("22:10", 300).is_at("22:15", 0).tells() == []
    assert parked().is_at("22:00:00", 300).is_at("22:00:05", 310).is_at("22:00:15", 0).tells() == []


def test_a_fix_by_mobile_cells_says_nothing_of_a_car_in_its_place() -> None:
    assert towed(parked(), accuracy_m=800.0).tells() == []
    assert towed(parked(), accuracy_m=60.0).tells() != []


def test_who_starts_the_engine_may_go() -> None:
    assert towed(parked(ignition=False), ignition=True).tells() == []
    assert towed(parked(ignition=False).is_at("21:59", 0, ignition=True), ignition=None).tells() == []


def test_without_ignition_it_is_towed() -> None:
    assert towed(parked(ignition=False), ignition=False).tells() == [("moved_while_parked", "22:00")]


def test_a_car_at_a_red_light_is_not_parked() -> None:
    day = Day("parked_moved").is_at("20:00", 0, ignition=True, speed_mps=0.0)
    assert towed(day).tells() == []


def test_a_tracker_that_sleeps_after_saying_so_is_parked_by_time_alone() -> None:
    assert towed(Day("parked_moved").is_at("20:00", 0, ignition=False)).tells() == [
        ("moved_while_parked", "22:00")
    ]
    assert towed(Day("parked_moved").is_at("20:00", 0, motion=False)).tells() != []
    assert towed(Day("parked_moved").is_at("20:00", 0)).tells() == []


def test_a_stop_shorter_than_asked_for_is_no_parking() -> None:
    day = Day("parked_moved", after_s=7200).reports("20:30", "21:30", 0)
    assert towed(day).tells() == []


def test_the_next_parking_counts_again() -> None:
    day = towed(parked()).reports("22:02", "22:30", 5000).is_at("23:00", 6000).is_at("23:05", 7000)
    assert [at for _, at in day.tells()] == ["22:00", "23:00"]
