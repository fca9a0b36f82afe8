"""What one believed fix makes of a device's standing towards every fence that it may concern."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from tracker.domain.crossing import Crossing, Evidence, How, Phase, Side
from tracker.domain.observation import Observation
from tracker.geofence._fences import Fences, Owner
from tracker.geofence._legs import AT_REST, Leg, leg_to, since_first_mps
from tracker.geofence._quiet import QUIET_WIDER, quiet_around
from tracker.geofence._table import Case, Given, Numbers, Stand, decide
from tracker.geofence.device_state import DeviceState, FenceState
from tracker.geofence.index import Fence
from tracker.geofence.verdict import IN_AT, counted_m, sure_m, verdict, weak_side

_REACH = 2.0
"""A fence farther than so many accuracies (and the widest margin) is surely left."""
_REACH_MORE_M = 50.0
_GIVEN = {
    (False, True): Given.SAME,
    (False, False): Given.OTHER,
    (True, True): Given.WEAK_SAME,
    (True, False): Given.WEAK_OTHER,
}
"""By whether the fix is weak and whether it is of the phase's side."""


def look(
    state: DeviceState, fences: Fences, fix: Observation, owner: Owner, numbers: Numbers
) -> tuple[DeviceState, list[Crossing]]:
    """Judge a believed fix against every fence it may concern."""
    last, at_s = state.last, fix.at_s
    entries = state.fences
    if state.quiet is not None and last is not None:
        # Within the disc only `last` was kept; every fix there was sure of the same sides.
        entries = {name: entry._replace(sure_s=last.at_s) for name, entry in entries.items()}
    accuracy_m = counted_m(fix.accuracy_m)
    near = fences.index.near(fix.lat, fix.lon, _REACH * accuracy_m + _REACH_MORE_M)
    near_ids = {fence.geofence_id for fence in near}
    looked = [*near, *_left_behind(entries, near_ids, fences)]
    quiet_accuracy_m = accuracy_m * QUIET_WIDER
    leg = leg_to(fix, last, state.prior) if looked else AT_REST
    clear = True
    after: dict[str, FenceState] = {}
    crossings: list[Crossing] = []
    for fence in looked:
        from_s, until_s = fences.term(fence.geofence_id)
        entry = entries.get(fence.geofence_id)
        if not from_s <= at_s < until_s:
            if entry is not None and at_s < from_s:
                after[fence.geofence_id] = entry
            continue
        if entry is None:
            entry = _unmet(fence, from_s, last, at_s)
        distance_m = fence.footprint.distance_m(fix.lat, fix.lon)
        became, crossing = _judge(entry, fence, fix, distance_m, leg, owner, numbers)
        if crossing is not None:
            crossings.append(crossing)
        if became.phase is not Phase.OUT or became.candidate is not None or fence.geofence_id in near_ids:
            after[fence.geofence_id] = became
        if (
            became.candidate is not None
            or became.phase is Phase.UNKNOWN
            or became.sure_s != at_s
            or abs(distance_m) <= fence.margin_m + sure_m(quiet_accuracy_m, fence.inradius_m)
        ):
            clear = False
    crossings.sort(key=lambda crossing: crossing.geofence_id)
    quiet = quiet_around(fences, fix, quiet_accuracy_m) if clear else None
    frontier_s = max(state.frontier_s, at_s)
    return DeviceState(frontier_s, max(state.until_s, at_s), fix, last, (), after, quiet), crossings


def _left_behind(entries: Mapping[str, FenceState], near_ids: set[str], fences: Fences) -> Sequence[Fence]:
    """Return the fences that have an entry and are not near; those that are no more are forgotten."""
    found = (fences.index.fence(name) for name in sorted(entries) if name not in near_ids)
    return [fence for fence in found if fence is not None]


def _unmet(fence: Fence, from_s: float, last: Observation | None, at_s: float) -> FenceState:
    """Return the state of a fence that was never near: out, unless it is newer than the last look at it."""
    if last is None:
        return FenceState(Phase.UNKNOWN, at_s, at_s, fence.version, None)
    phase = Phase.OUT
    if last.at_s < from_s:
        # Where it was when the fence was made is known from the fix before.
        distance_m = fence.footprint.distance_m(last.lat, last.lon)
        said = verdict(distance_m, last.accuracy_m, fence.inradius_m, fence.margin_m, Phase.UNKNOWN)
        phase = Phase.OUT if said.side is Side.OUT else Phase.UNKNOWN
    return FenceState(phase, last.at_s, last.at_s, fence.version, None)


def _judge(
    entry: FenceState,
    fence: Fence,
    fix: Observation,
    distance_m: float,
    leg: Leg,
    owner: Owner,
    numbers: Numbers,
) -> tuple[FenceState, Crossing | None]:
    """Ask the table about one fix and one fence."""
    redrawn = entry.version != fence.version
    phase = Phase.UNKNOWN if redrawn else entry.phase
    inradius_m, margin_m = fence.inradius_m, fence.margin_m
    side, probability, strong = verdict(distance_m, fix.accuracy_m, inradius_m, margin_m, phase)
    weak = side is Side.UNSURE
    if weak:
        if phase is Phase.UNKNOWN:
            # Its version stays, so that it is still known to have been redrawn.
            return FenceState(Phase.UNKNOWN, entry.since_s, entry.sure_s, entry.version, None), None
        side = weak_side(distance_m, fix.accuracy_m, inradius_m, margin_m, phase)
        if side is Side.UNSURE:
            return entry, None
    into = Phase.IN if side is Side.IN else Phase.OUT
    stand = Stand.NEW if phase is Phase.UNKNOWN else Stand.KNOWN
    given = Given.SURE if stand is Stand.NEW else _GIVEN[weak, into is phase]
    evidence: tuple[Evidence, ...] = ()
    if given is not Given.SAME:
        evidence = (
            Evidence(fix.at_s, fix.lat, fix.lon, fix.accuracy_m, distance_m, probability, side, weak),
        )
    # Counted as sure though the fence is too small to be sure of.
    small = not weak and side is Side.IN and probability < IN_AT
    gone_on_mps = since_first_mps(entry, fix)
    case = Case(entry, fence.version, into, fix.at_s, strong, small, evidence, numbers, leg, gone_on_mps)
    become = decide(stand, given, case)
    if become.how is None:
        return become.state, None
    crossing = crossing_of(entry, become.state, fence, become.how, fix.at_s, become.evidence, owner, numbers)
    return become.state, crossing


def crossing_of(
    before: FenceState,
    after: FenceState,
    fence: Fence,
    how: How,
    decided_s: float,
    evidence: tuple[Evidence, ...],
    owner: Owner,
    numbers: Numbers,
) -> Crossing:
    """Return the crossing that the table made of `before`; it is at the moment that `after` is since."""
    at_s = after.since_s
    # Nothing is known of before a first fix, nor of a fence that was drawn otherwise.
    earliest_s = at_s if how in {How.FIRST, How.REDRAWN} else min(before.sure_s, at_s)
    return Crossing(
        account_id=owner.account_id,
        subject_id=owner.subject_id,
        device_id=owner.device_id,
        geofence_id=fence.geofence_id,
        fence_version=fence.version,
        into=after.phase,
        how=how,
        at=datetime.fromtimestamp(at_s, UTC),
        earliest=datetime.fromtimestamp(earliest_s, UTC),
        decided_at=datetime.fromtimestamp(decided_s, UTC),
        after_gap=at_s - earliest_s > numbers.gap_s,
        evidence=evidence,
    )
