"""The table of the engine: what one fix, or silence, makes of a device's standing towards one fence. Data."""

from collections.abc import Callable, Mapping
from enum import StrEnum
from itertools import groupby
from typing import NamedTuple

from tracker.domain.crossing import Evidence, How, Phase
from tracker.geofence._legs import Leg
from tracker.geofence.device_state import Candidate, FenceState

EVIDENCE_MOST = 8


class Numbers(NamedTuple):
    """The engine's numbers, seconds and counts; the starred ones were chosen with `tracker bench truth`."""

    confirm_n: int = 2  # *
    """So many sure fixes make a crossing ..."""
    confirm_s: float = 20.0  # *
    """... that are so far apart, or two strong ones however near."""
    small_confirm_n: int = 3  # *
    """So many where the fence is small for the fixes."""
    leap_mps: float = 3.0  # *
    """Who comes to the other side faster and then goes on at less than a third of that, leapt ..."""
    leap_s: float = 60.0  # *
    """... and must have been there for so long: reflections last less."""
    settle_s: float = 120.0  # *
    """A strong fix without a contrary one for so long needs no second."""
    weak_n: int = 3  # *
    """So many poor fixes, all on one side ..."""
    weak_s: float = 600.0  # *
    """... over so long, wear a receiver's doubt down."""
    gap_s: float = 1200.0
    """A crossing less exactly known than this is one after a gap (as `history.gaps`)."""
    passing_s: float = 120.0
    """Between two fixes farther apart nobody is said to have passed through."""


NUMBERS = Numbers()


class Stand(StrEnum):
    """Whether there is a phase to hold: not before the first sure fix, nor after the fence was redrawn."""

    NEW = "new"
    KNOWN = "known"


class Given(StrEnum):
    """What is given, seen from the phase: a sure or a poor fix on the same or the other side, or silence."""

    SURE = "sure"
    SAME = "same"
    OTHER = "other"
    WEAK_SAME = "weak same"
    WEAK_OTHER = "weak other"
    UNSURE = "unsure"
    SILENCE = "silence"


class Case(NamedTuple):
    """One state and what is given; `side` is of the fix, for silence of the candidate."""

    state: FenceState
    version: int
    side: Phase
    at_s: float
    strong: bool
    small: bool
    evidence: tuple[Evidence, ...]
    numbers: Numbers
    leg: Leg
    gone_on_mps: float


class Outcome(NamedTuple):
    """What a case becomes; `how` None: no crossing, else `evidence` is for it."""

    state: FenceState
    how: How | None = None
    evidence: tuple[Evidence, ...] = ()


class Row(NamedTuple):
    """A line of the table: of those for one standing and one given, the first that holds applies."""

    stand: Stand
    given: Given
    when: Callable[[Case], bool]
    then: Callable[[Case], tuple[FenceState, tuple[Evidence, ...]]]
    how: How | None = None


# Conditions.
def _always(_: Case) -> bool:
    return True


def _redrawn(case: Case) -> bool:
    return case.state.version != case.version


def _none_yet(case: Case) -> bool:
    return case.state.candidate is None


def _in_stride(case: Case) -> bool:
    return case.leg.in_stride and not case.small


def _leapt(case: Case) -> bool:
    candidate, numbers = _grown_sure(case), case.numbers
    stands = case.gone_on_mps < candidate.leg_mps / 3
    short = candidate.last_s - candidate.first_s < numbers.leap_s
    return candidate.leg_mps > numbers.leap_mps and stands and short


def _enough(case: Case) -> bool:
    candidate, numbers = _grown_sure(case), case.numbers
    needed = numbers.small_confirm_n if candidate.small else numbers.confirm_n
    apart = candidate.last_s - candidate.first_s >= numbers.confirm_s
    return candidate.sure >= needed and (apart or candidate.strong >= 2)


def _worn(case: Case) -> bool:
    candidate, numbers = _grown_weak(case), case.numbers
    since_s = case.at_s if candidate.weak_first_s is None else candidate.weak_first_s
    return candidate.weak >= numbers.weak_n and case.at_s - since_s >= numbers.weak_s


def _has_sure(case: Case) -> bool:
    return case.state.candidate is not None and case.state.candidate.sure > 0


def _settles(case: Case) -> bool:
    due = settles_s(case.state, case.numbers)
    return due is not None and due <= case.at_s


# What becomes of the state.
def _stay(case: Case) -> tuple[FenceState, tuple[Evidence, ...]]:
    return case.state, ()


def _place(case: Case) -> tuple[FenceState, tuple[Evidence, ...]]:
    return FenceState(case.side, case.at_s, case.at_s, case.version, None), case.evidence


def _hold(case: Case) -> tuple[FenceState, tuple[Evidence, ...]]:
    state = case.state
    return FenceState(state.phase, state.since_s, case.at_s, state.version, None), ()


def _drop(case: Case) -> tuple[FenceState, tuple[Evidence, ...]]:
    return case.state._replace(candidate=None), ()


def _grow(case: Case) -> tuple[FenceState, tuple[Evidence, ...]]:
    return case.state._replace(candidate=_grown_sure(case)), ()


def _wear(case: Case) -> tuple[FenceState, tuple[Evidence, ...]]:
    return case.state._replace(candidate=_grown_weak(case)), ()


def _doubt(case: Case) -> tuple[FenceState, tuple[Evidence, ...]]:
    candidate = case.state.candidate
    assert candidate is not None  # noqa: S101 - the row's condition
    doubted = candidate._replace(strong=0, weak=0, weak_first_s=None)
    return case.state._replace(candidate=doubted), ()


def _cross(case: Case) -> tuple[FenceState, tuple[Evidence, ...]]:
    return _crossed(case, _grown_sure(case))


def _cross_worn(case: Case) -> tuple[FenceState, tuple[Evidence, ...]]:
    return _crossed(case, _grown_weak(case))


def _cross_settled(case: Case) -> tuple[FenceState, tuple[Evidence, ...]]:
    candidate = case.state.candidate
    assert candidate is not None  # noqa: S101 - the row's condition
    return _crossed(case, candidate)


TABLE: tuple[Row, ...] = (
    Row(Stand.NEW, Given.SURE, _redrawn, _place, How.REDRAWN),
    Row(Stand.NEW, Given.SURE, _always, _place, How.FIRST),
    Row(Stand.KNOWN, Given.SAME, _always, _hold),
    Row(Stand.KNOWN, Given.OTHER, _in_stride, _cross, How.IN_STRIDE),
    Row(Stand.KNOWN, Given.OTHER, _none_yet, _grow),
    Row(Stand.KNOWN, Given.OTHER, _leapt, _grow),
    Row(Stand.KNOWN, Given.OTHER, _enough, _cross, How.CONFIRMED),
    Row(Stand.KNOWN, Given.OTHER, _always, _grow),
    Row(Stand.KNOWN, Given.WEAK_OTHER, _worn, _cross_worn, How.WORN),
    Row(Stand.KNOWN, Given.WEAK_OTHER, _always, _wear),
    Row(Stand.KNOWN, Given.WEAK_SAME, _has_sure, _doubt),
    Row(Stand.KNOWN, Given.WEAK_SAME, _always, _drop),
    Row(Stand.KNOWN, Given.SILENCE, _settles, _cross_settled, How.SETTLED),
)
"""First match wins; what no line names leaves the state as it is."""


def _by_case(table: tuple[Row, ...]) -> Mapping[tuple[Stand, Given], tuple[Row, ...]]:
    rows = sorted(table, key=lambda row: (row.stand, row.given))  # stable: keeps the order of lines
    return {case: tuple(lines) for case, lines in groupby(rows, key=lambda row: (row.stand, row.given))}


_LINES = _by_case(TABLE)


def decide(stand: Stand, given: Given, case: Case) -> Outcome:
    """Return what the table says of one case."""
    for row in _LINES.get((stand, given), ()):
        if row.when(case):
            state, evidence = row.then(case)
            return Outcome(state, row.how, evidence)
    return Outcome(case.state)


def settles_s(state: FenceState, numbers: Numbers) -> float | None:
    """Return when silence alone will decide, in the data's time; None: never."""
    candidate = state.candidate
    if candidate is None or not candidate.strong or candidate.small:
        return None
    return candidate.last_s + numbers.settle_s


def _grown_sure(case: Case) -> Candidate:
    candidate, strong, small = case.state.candidate, int(case.strong), int(case.small)
    if candidate is None:
        return Candidate(
            case.side, case.at_s, case.at_s, 1, strong, small, 0, None, case.leg.mps, case.evidence
        )
    return candidate._replace(
        # Poor fixes may have come before; the crossing's moment is of the first sure one.
        first_s=candidate.first_s if candidate.sure else case.at_s,
        last_s=case.at_s,
        sure=candidate.sure + 1,
        strong=candidate.strong + strong,
        small=candidate.small + small,
        evidence=_joined(candidate.evidence, case.evidence),
    )


def _grown_weak(case: Case) -> Candidate:
    candidate, at_s = case.state.candidate, case.at_s
    if candidate is None:
        return Candidate(case.side, at_s, at_s, 0, 0, 0, 1, at_s, case.leg.mps, case.evidence)
    return candidate._replace(
        weak=candidate.weak + 1,
        weak_first_s=at_s if candidate.weak_first_s is None else candidate.weak_first_s,
        evidence=_joined(candidate.evidence, case.evidence),
    )


def _joined(before: tuple[Evidence, ...], more: tuple[Evidence, ...]) -> tuple[Evidence, ...]:
    """Return the evidence with the oldest and the newest lines kept when it is too much."""
    joined = before + more
    half = EVIDENCE_MOST // 2
    return joined if len(joined) <= EVIDENCE_MOST else joined[:half] + joined[-half:]


def _crossed(case: Case, candidate: Candidate) -> tuple[FenceState, tuple[Evidence, ...]]:
    at_s = candidate.first_s
    sure_s = candidate.last_s if candidate.sure else at_s
    return FenceState(candidate.into, at_s, sure_s, case.version, None), candidate.evidence
