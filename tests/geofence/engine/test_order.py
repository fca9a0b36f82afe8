"""In whatever order and batches fixes come, and how often: the crossings are those of the sorted track."""

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.geofence.engine.script import OWNER, START_S
from tests.geofence.engine.tracks import END_S, Row, arrivals, by_moment, fence_sets, tracks
from tracker.domain.observation import Observation
from tracker.geofence.device_state import begin_checkpoints, from_bytes, settled
from tracker.geofence.engine import Fences, replay


@given(st.data(), fence_sets(), tracks())
@settings(max_examples=150, deadline=None)
def test_any_arrival_gives_the_crossings_of_the_sorted_track(
    data: st.DataObject, fences: Fences, fixes: list[Observation]
) -> None:
    row = Row(fences)
    for batch in data.draw(arrivals(fixes)):
        row.receive(batch)
        if data.draw(st.booleans()):
            row.tick(row.frontier_s + data.draw(st.sampled_from([0.0, 90.0, 130.0, 2000.0])))
    row.tick(END_S)

    sorted_fold = replay(begin_checkpoints(), fences, fixes, OWNER, END_S)
    assert row.told() == by_moment(sorted_fold.crossings)
    assert settled(from_bytes(row.points[0])) == settled(sorted_fold.points.live)


@given(fence_sets(), tracks(), st.integers(0, 40))
@settings(max_examples=100, deadline=None)
def test_restart_at_any_point_changes_nothing(fences: Fences, fixes: list[Observation], cut: int) -> None:
    row = Row(fences)
    row.receive(fixes[:cut])
    again = Row(fences, row.points, row.positions, row.crossings)
    again.receive(fixes[cut:])
    whole = Row(fences)
    for fix in fixes:
        whole.receive([fix])

    assert again.told() == whole.told()
    assert again.points == whole.points


@given(fence_sets(), tracks(), st.lists(st.integers(0, 20_000), max_size=8))
@settings(max_examples=100, deadline=None)
def test_letting_time_pass_in_strides_or_at_once_is_the_same(
    fences: Fences, fixes: list[Observation], moments: list[int]
) -> None:
    strides, once = Row(fences), Row(fences)
    strides.receive(fixes)
    once.receive(fixes)
    for moment in sorted(moments):
        strides.tick(START_S + moment)
    strides.tick(END_S)
    once.tick(END_S)

    assert strides.told() == once.told()
    assert strides.points == once.points


@given(fence_sets(), tracks())
@settings(max_examples=100, deadline=None)
def test_crossings_of_one_fence_alternate_and_move_on(fences: Fences, fixes: list[Observation]) -> None:
    crossings = replay(begin_checkpoints(), fences, fixes, OWNER, END_S).crossings
    for name in {crossing.geofence_id for crossing in crossings}:
        own = [crossing for crossing in crossings if crossing.geofence_id == name]
        assert all(one.into != other.into and one.at < other.at for one, other in pairwise(own))
    assert all(one.earliest <= one.at <= one.decided_at for one in crossings)
    assert [one.decided_at for one in crossings] == sorted(one.decided_at for one in crossings)
