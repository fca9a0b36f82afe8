"""The table as data: it says the same of coming and going, and nothing of what it does not name."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from tracker.domain.crossing import Phase
from tracker.geofence._legs import Leg
from tracker.geofence._table import NUMBERS, TABLE, Case, Given, Stand, decide, settles_s
from tracker.geofence.device_state import Candidate, FenceState

MIRROR = {Phase.IN: Phase.OUT, Phase.OUT: Phase.IN, Phase.UNKNOWN: Phase.UNKNOWN}
MOMENTS = st.floats(0, 2000)


@st.composite
def cases(draw: st.DrawFn) -> tuple[Given, Case]:
    """A known phase, perhaps evidence against it, and what may be given then."""
    phase = draw(st.sampled_from([Phase.IN, Phase.OUT]))
    given_ = draw(
        st.sampled_from([Given.SAME, Given.OTHER, Given.WEAK_SAME, Given.WEAK_OTHER, Given.SILENCE])
    )
    candidate = None
    if draw(st.booleans()) or given_ is Given.SILENCE:
        sure, weak = draw(st.integers(0, 4)), draw(st.integers(0, 4))
        first_s = draw(MOMENTS)
        strong = draw(st.integers(0, sure))
        candidate = Candidate(
            MIRROR[phase], first_s, first_s + 5, sure, strong, 0, weak, first_s if weak else None, 1.0, ()
        )
    side = phase if given_ in {Given.SAME, Given.WEAK_SAME} else MIRROR[phase]
    state = FenceState(phase, 0.0, 0.0, 1, candidate)
    leg = Leg(draw(st.floats(0, 50)), draw(st.booleans()))
    at_s, strong, gone_on_mps = 2100 + draw(MOMENTS), draw(st.booleans()), draw(st.floats(0, 50))
    return given_, Case(state, 1, side, at_s, strong, False, (), NUMBERS, leg, gone_on_mps)


def mirrored(state: FenceState) -> FenceState:
    candidate = state.candidate
    if candidate is not None:
        candidate = candidate._replace(into=MIRROR[candidate.into])
    return state._replace(phase=MIRROR[state.phase], candidate=candidate)


@given(cases())
def test_leaving_is_entering_with_the_sides_exchanged(drawn: tuple[Given, Case]) -> None:
    given_, case = drawn
    become = decide(Stand.KNOWN, given_, case)
    other = decide(Stand.KNOWN, given_, case._replace(state=mirrored(case.state), side=MIRROR[case.side]))

    assert (mirrored(become.state), become.how) == (other.state, other.how)


@given(cases())
def test_phase_changes_with_a_crossing_only_and_then_nothing_is_pending(drawn: tuple[Given, Case]) -> None:
    given_, case = drawn
    become = decide(Stand.KNOWN, given_, case)

    assert (become.state.phase is not case.state.phase) == (become.how is not None)
    if become.how is not None:
        assert become.state.candidate is None
        assert settles_s(become.state, NUMBERS) is None


@given(cases())
def test_what_the_table_does_not_name_changes_nothing(drawn: tuple[Given, Case]) -> None:
    _, case = drawn

    assert decide(Stand.KNOWN, Given.UNSURE, case).state == case.state
    assert decide(Stand.NEW, Given.UNSURE, case).state == case.state


def test_no_line_is_out_of_reach() -> None:
    for one, other in pairwise(TABLE):
        if (one.stand, one.given) == (other.stand, other.given):
            assert one.when.__name__ != "_always"
