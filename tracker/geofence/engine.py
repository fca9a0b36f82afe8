"""The fold of one device over its fences: fixes in, crossings out; pure.

The input is the device's positions by moment; `rewinding` brings late ones into order.
"""

import math
from collections.abc import Iterable
from typing import NamedTuple

from tracker.domain.crossing import Crossing
from tracker.domain.fold import Timed, crossed_at
from tracker.domain.observation import Observation
from tracker.domain.plausibility import CLOCK_STEP_S, FASTEST_MPS, Fix, Verdict, judge
from tracker.domain.rule import Moved, Passed
from tracker.geofence._fences import Fences, Owner, Term
from tracker.geofence._legs import AT_REST
from tracker.geofence._look import crossing_of, look
from tracker.geofence._passing import passages
from tracker.geofence._quiet import DEGREE_M, is_within
from tracker.geofence._table import NUMBERS, Case, Given, Numbers, Stand, decide, settles_s
from tracker.geofence.device_state import Checkpoints, DeviceState, rotate

__all__ = [
    "Fences",
    "Folded",
    "Owner",
    "Stepped",
    "Term",
    "advance",
    "due_s",
    "inputs_of",
    "replay",
    "step",
]


class Stepped(NamedTuple):
    """What one fix made: crossings in the order of their decision, the fixes now believed (none if it is
    held, two if it confirms one), passages."""

    state: DeviceState
    crossings: tuple[Crossing, ...]
    believed: tuple[Observation, ...]
    passed: tuple[Passed, ...]


class Folded(NamedTuple):
    """What a run of fixes made: the states, the crossings, and the rules' input in its order."""

    points: Checkpoints
    crossings: tuple[Crossing, ...]
    inputs: tuple[Timed, ...]


def step(
    state: DeviceState, fences: Fences, fix: Observation, owner: Owner, numbers: Numbers = NUMBERS
) -> Stepped:
    """Take one fix newer than `state.frontier_s` and not before `state.until_s`.

    Raises:
        ValueError: it is older: the caller must rewind.
    """
    at_s, last, quiet = fix.at_s, state.last, state.quiet
    if at_s <= state.frontier_s or at_s < state.until_s:
        raise ValueError("the fix is not newer than the state")
    if (
        quiet is not None
        and last is not None
        and quiet.stamp == fences.stamp
        and at_s < quiet.until_s
        and is_within(quiet, fix)
        and (abs(fix.lat - last.lat) + abs(fix.lon - last.lon)) * DEGREE_M
        <= FASTEST_MPS * (at_s - last.at_s + CLOCK_STEP_S)
    ):
        # It can follow `last`, so `judge` would accept it and give up a held one.
        return Stepped(DeviceState(at_s, at_s, fix, last, (), state.fences, quiet), (), (fix,), ())
    state, settled = advance(state, fences, at_s, owner, numbers)
    held = state.held[0] if state.held else None
    said = judge(_fix(last), _fix(held), _fix_of(fix))
    if said is Verdict.HELD:
        return Stepped(state._replace(frontier_s=at_s, until_s=at_s, held=(fix,)), settled, (), ())
    crossings, passed = list(settled), list[Passed]()
    believed = (held, fix) if said is Verdict.CONFIRMED and held is not None else (fix,)
    for one in believed:
        passed += passages(state, fences, one, owner, numbers)
        state, more = look(state, fences, one, owner, numbers)
        crossings += more
    return Stepped(state, tuple(crossings), believed, tuple(passed))


def advance(
    state: DeviceState, fences: Fences, until_s: float, owner: Owner, numbers: Numbers = NUMBERS
) -> tuple[DeviceState, tuple[Crossing, ...]]:
    """Let time pass to `until_s` with no fix; the state changes only if this decides something."""
    if state.quiet is not None or until_s < state.until_s:
        return state, ()
    due = sorted(
        (moment, geofence_id)
        for geofence_id, entry in state.fences.items()
        if (moment := settles_s(entry, numbers)) is not None and moment <= until_s
    )
    crossings, entries, decided_s = list[Crossing](), dict(state.fences), state.until_s
    for moment, geofence_id in due:
        fence = fences.index.fence(geofence_id)
        entry = entries[geofence_id]
        if fence is None or entry.version != fence.version or moment >= fences.term(geofence_id).until_s:
            continue
        assert entry.candidate is not None  # noqa: S101 - it is due
        case = Case(
            entry, entry.version, entry.candidate.into, moment, False, False, (), numbers, AT_REST, 0.0
        )
        become = decide(Stand.KNOWN, Given.SILENCE, case)
        if become.how is not None:
            entries[geofence_id], decided_s = become.state, max(decided_s, moment)
            crossings.append(
                crossing_of(entry, become.state, fence, become.how, moment, become.evidence, owner, numbers)
            )
    if not crossings:
        return state, ()
    return state._replace(until_s=decided_s, fences=entries), tuple(crossings)


def due_s(state: DeviceState, numbers: Numbers = NUMBERS) -> float | None:
    """Return when time alone will decide something next, in the data's time; None: never."""
    if state.quiet is not None:
        return None
    moments = [due for entry in state.fences.values() if (due := settles_s(entry, numbers)) is not None]
    return min(moments, default=None)


def replay(
    points: Checkpoints,
    fences: Fences,
    fixes: Iterable[Observation],
    owner: Owner,
    until_s: float = -math.inf,
    numbers: Numbers = NUMBERS,
) -> Folded:
    """Fold fixes sorted by moment, all newer than `points.live`, then let time pass to `until_s`.

    Raises:
        ValueError: they are not sorted, or not newer.
    """
    crossings, inputs = list[Crossing](), list[Timed]()
    for fix in fixes:
        before = points.live.last
        stepped = step(points.live, fences, fix, owner, numbers)
        points = rotate(points, stepped.state)
        crossings += stepped.crossings
        inputs += inputs_of(stepped, before, owner.device_id, fix.at_s)
    live, more = advance(points.live, fences, until_s, owner, numbers)
    crossings += more
    inputs += map(crossed_at, more)
    return Folded(points._replace(live=live), tuple(crossings), tuple(inputs))


def inputs_of(stepped: Stepped, before: Observation | None, device_id: str, at_s: float) -> tuple[Timed, ...]:
    """Return what one step tells the rules; `before` is the believed fix before, `at_s` of the fix stepped.

    A fix that waited to be believed is told with the moment at which it was.
    """
    told = [*map(crossed_at, stepped.crossings)]
    told += [Timed(at_s, device_id, one) for one in stepped.passed]
    for fix in stepped.believed:
        told.append(Timed(at_s, device_id, Moved(device_id, fix, before)))
        before = fix
    return tuple(told)


def _fix(observation: Observation | None) -> Fix | None:
    return None if observation is None else _fix_of(observation)


def _fix_of(observation: Observation) -> Fix:
    return Fix(observation.at_s, observation.lat, observation.lon, observation.accuracy_m)
