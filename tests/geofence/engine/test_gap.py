"""Silence undoes nothing; a crossing within it is told with what is not known of it."""

from tests.geofence.engine.script import folded, told


def test_crossing_after_silence_tells_between_when_it_was() -> None:
    crossing = folded("0 0\n3600 300\n3660 300").crossings[-1]

    assert told([crossing]) == ["out confirmed at=3600 decided=3660 earliest=0"]
    assert crossing.after_gap


def test_crossing_between_near_fixes_is_not_after_a_gap() -> None:
    assert not folded("0 0\n1200 300\n1260 300").crossings[-1].after_gap


def test_silence_alone_changes_no_place() -> None:
    assert folded("0 0", until=10_000_000).points == folded("0 0").points


def test_fixes_within_the_quiet_disc_count_as_last_seen_there() -> None:
    crossing = folded("0 0\n60 1\n120 2\n180 3\n240 300\n300 300").crossings[-1]

    assert told([crossing]) == ["out confirmed at=240 decided=300 earliest=180"]


def test_unsure_fix_on_the_way_is_not_the_last_one_known_to_be_elsewhere() -> None:
    crossing = folded("0 2000\n60 500 1000\n120 0\n180 0").crossings[-1]

    assert told([crossing]) == ["in confirmed at=120 decided=180 earliest=0"]
