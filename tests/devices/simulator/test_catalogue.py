"""Every named track can be played, moves, and stays believable."""

from itertools import islice, pairwise

import pytest

from devices.simulator.catalogue import TRACKS, accuracy_of_fix_m, battery_at_pct, named_track
from devices.simulator.track import TrackUnreadable, distance_m

FIRST_TWO_MINUTES_S = 120
FASTEST_MPS = 45


@pytest.mark.parametrize("name", sorted(TRACKS))
def test_track_moves_within_two_minutes(name: str) -> None:
    steps = named_track(name).steps()
    places = set()
    waited_s = 0.0
    while waited_s < FIRST_TWO_MINUTES_S:
        step = next(steps)
        waited_s += step.wait_s
        places.add((step.fix.lat, step.fix.lon))
    assert len(places) >= 3


@pytest.mark.parametrize("name", sorted(TRACKS))
def test_track_never_jumps_even_when_it_starts_again(name: str) -> None:
    track = named_track(name)
    steps = list(islice(track.steps(), len(track.read()) * 3))
    for before, after in pairwise(steps):
        recorded_wait_s = after.wait_s * track.speedup
        assert distance_m(before.fix, after.fix) <= FASTEST_MPS * max(recorded_wait_s, 1)


def test_children_and_grandmothers_walk_within_the_shipped_street_map() -> None:
    for name in ("child-walk", "grandmother-walk"):
        for fix in named_track(name).read():
            assert 60.165 <= fix.lat <= 60.178
            assert 24.93 <= fix.lon <= 24.955


def test_unknown_track_is_named_in_the_error() -> None:
    with pytest.raises(TrackUnreadable, match="moon"):
        named_track("moon")


def test_synthetic_accuracy_varies_around_its_base() -> None:
    values = {accuracy_of_fix_m(10.0, number) for number in range(100)}
    assert len(values) > 3
    assert min(values) == 8.0
    assert max(values) == 14.0


def test_synthetic_battery_falls_and_is_charged_before_it_is_empty() -> None:
    levels = [battery_at_pct(50.0, minutes * 60) for minutes in range(0, 6000, 6)]
    assert levels[:3] == [50, 49, 48]
    assert min(levels) > 0
    assert max(levels) == 100
