"""The quiet disc saves work and changes nothing."""

import math

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.geofence.engine.script import OWNER, START_S, at, circle, folded, home
from tests.geofence.engine.tracks import END_S, fence_sets, tracks
from tracker.domain.crossing import Crossing
from tracker.domain.observation import Observation
from tracker.domain.rule import Passed
from tracker.geofence.device_state import begin, settled
from tracker.geofence.engine import Fences, Term, advance, step
from tracker.geofence.verdict import verdict


@given(fence_sets(), tracks(80))
@settings(max_examples=250, deadline=None)
def test_crossings_are_the_same_with_and_without(fences: Fences, fixes: list[Observation]) -> None:
    found: list[tuple[list[Crossing], list[Passed]]] = []
    states = []
    for quiet in (True, False):
        state, crossings, passed = begin(), list[Crossing](), list[Passed]()
        for fix in fixes:
            # Without: what the disc saved is written out, and it is forgotten, after every fix.
            stepped = step(state if quiet else settled(state), fences, fix, OWNER)
            state = stepped.state
            crossings += stepped.crossings
            passed += stepped.passed
        state, more = advance(state, fences, END_S, OWNER)
        states.append(settled(state))
        found.append(([*crossings, *more], passed))

    assert found[0] == found[1]
    assert {n: s for n, s in states[0].fences.items() if s.phase != "out"} == {
        n: s for n, s in states[1].fences.items() if s.phase != "out"
    }


@given(
    fence_sets(),
    st.floats(-900, 900),
    st.floats(-900, 900),
    st.sampled_from([None, 3.0, 20.0, 60.0]),
    st.floats(0, 2 * math.pi),
    st.sampled_from([0.3, 0.999]),
)
@settings(max_examples=300, deadline=None)
def test_every_fix_in_the_disc_is_as_sure_of_every_side(
    fences: Fences, north_m: float, east_m: float, accuracy_m: float | None, course: float, part: float
) -> None:
    state = step(begin(), fences, at(0, north_m, accuracy_m, east_m), OWNER).state
    assume(state.quiet is not None)
    assert state.quiet is not None
    away_m = state.quiet.radius_m * part
    fix = at(
        60, north_m + away_m * math.cos(course), state.quiet.accuracy_m, east_m + away_m * math.sin(course)
    )
    for number in range(4):
        fence = fences.index.fence(f"f{number}")
        if fence is not None and f"f{number}" in state.fences:
            phase = state.fences[f"f{number}"].phase
            distance_m = fence.footprint.distance_m(fix.lat, fix.lon)
            said = verdict(distance_m, fix.accuracy_m, fence.inradius_m, fence.margin_m, phase)
            assert said.side.value == phase.value


def test_fix_in_the_disc_looks_at_no_fence() -> None:
    class Blind:
        """Answers nothing: a fix that asks fails."""

    before = folded("0 2000\n60 2000").points.live
    fences = home()
    fences.index = Blind()  # type: ignore[assignment]

    assert step(before, fences, at(120, 2050), OWNER).state.quiet == before.quiet


def test_other_fences_make_the_disc_void() -> None:
    before = folded("0 2000\n60 2000").points.live
    fences = Fences([circle(), circle("new", north_m=2000)], {"new": Term(START_S + 90)})

    assert step(before, fences, at(120, 2000), OWNER).state.fences["new"].phase == "in"


def test_worse_fix_than_the_disc_is_made_for_is_looked_at() -> None:
    before = folded("0 2000\n60 2000").points.live
    assert before.quiet is not None

    after = step(before, home(), at(120, 2000, before.quiet.accuracy_m + 1), OWNER).state
    assert after.quiet is not None
    assert after.quiet.accuracy_m > before.quiet.accuracy_m
