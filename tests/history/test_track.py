"""Tracks: places, distances, and which legs need a closer look."""

from hypothesis import given
from hypothesis import strategies as st

from tracker.history.track import Fix, between_m, brisk

places = st.one_of(
    st.tuples(st.floats(-90, 90), st.floats(-180, 180)),
    st.tuples(st.floats(60, 60.01), st.floats(24, 24.02)),
    st.tuples(st.floats(-0.01, 0.01), st.sampled_from([-180.0, 179.999, 180.0])),
)


@given(st.lists(st.tuples(places, st.floats(0.01, 9999)), max_size=12), st.sampled_from([0.2, 4.0, 100.0]))
def test_no_leg_faster_than_asked_is_missed(
    legs: list[tuple[tuple[float, float], float]], speed_mps: float
) -> None:
    track: list[Fix] = []
    for (lat, lon), took_s in legs:
        track.append(Fix((track[-1].recorded_at if track else 0.0) + took_s, lat, lon))
    faster = {
        number
        for number in range(1, len(track))
        if between_m(track[number - 1], track[number])
        > 1.001 * speed_mps * (track[number].recorded_at - track[number - 1].recorded_at)
    }
    assert faster <= set(brisk(track, speed_mps))


def test_a_leg_well_below_the_speed_needs_no_look() -> None:
    track = [Fix(60.0 * number, 60 + number * 1e-4, 24 + number * 1e-4) for number in range(9)]
    assert brisk(track, 4.0) == []
    assert brisk(track, 0.1) == list(range(1, 9))
