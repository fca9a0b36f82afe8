"""One strong fix and silence make a crossing: a device that sleeps after arriving has arrived."""

from tests.geofence.engine.script import START_S, fixes, folded, home, played
from tracker.geofence.engine import due_s


def test_one_strong_fix_settles_in_silence() -> None:
    assert played("0 0\n60 300", until=179) == []
    assert played("0 0\n60 300", until=180) == ["out settled at=60 decided=180 earliest=0"]


def test_moment_of_settling_does_not_hang_on_when_it_is_asked() -> None:
    assert played("0 0\n60 300", until=90_000) == played("0 0\n60 300", until=180)


def test_late_look_and_next_fix_say_the_same() -> None:
    assert played("0 0\n60 300\n900 0\n960 0")[0] == "out settled at=60 decided=180 earliest=0"


def test_fix_that_is_not_strong_waits_for_ever() -> None:
    assert played("0 0\n60 122", until=90_000) == []


def test_poor_fix_of_the_same_side_takes_the_strength_away() -> None:
    assert played("0 0\n60 300\n90 60 60", until=90_000) == []


def test_due_moment_is_told() -> None:
    state = folded("0 0\n60 300").points.live

    assert due_s(state) == START_S + 180
    assert due_s(folded("0 0\n60 300", until=180).points.live) is None


def test_asking_for_time_that_decides_nothing_changes_nothing() -> None:
    assert folded("0 0\n60 300", until=170).points == folded("0 0\n60 300").points


def test_small_fence_never_settles() -> None:
    assert played("0 900\n60 0 40", home(30), until=90_000) == []


def test_script_is_sorted() -> None:
    assert [fix.at_s for fix in fixes("0 0\n60 0")] == [START_S, START_S + 60]
