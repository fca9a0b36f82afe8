"""How one device's late fixes are brought into order by the engine alone: from which state to begin again.

Ingest rewinds whole subjects with their rules (tracker/geofence/rewinding.py); of one device without rules
this is the same, and needs no database. Pure.
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple

from tracker.domain.observation import Observation
from tracker.geofence.device_state import Checkpoints, DeviceState


class Base(StrEnum):
    """The state from which a plan begins."""

    LIVE = "live"
    MID = "mid"
    OLD = "old"


class Plan(NamedTuple):
    """What a batch of one device's new fixes asks for.

    From `base` LIVE: step `ahead`, by moment. From MID or OLD: first replay the positions stored after
    `since_s` and up to `upto_s` (this batch's own among them), let time pass to `until_s` and reconcile what
    this changes, without telling anybody; then step `ahead` as news. `correct_since_s`: the moment of the
    oldest fix that no state here reaches, for a correction in the background; None: there is none.
    """

    base: Base
    since_s: float
    upto_s: float
    until_s: float
    ahead: tuple[Observation, ...]
    correct_since_s: float | None


def base_of(points: Checkpoints, base: Base) -> Checkpoints:
    """Return the checkpoints to replay from."""
    if base is Base.LIVE:
        return points
    if base is Base.MID:
        return Checkpoints(points.mid, points.mid, points.old)
    return Checkpoints(points.old, points.old, points.old)


def take(live: DeviceState, mid: DeviceState, old: DeviceState, fixes: Iterable[Observation]) -> Plan:
    """Tell what new fixes of one device, in any order, ask for.

    A fix of the very moment of another one, or of a state's frontier, is the same fix: it is not taken again.
    """
    by_moment: dict[float, Observation] = {}
    for fix in fixes:
        by_moment.setdefault(fix.at_s, fix)
    moments = sorted(by_moment)
    ahead = tuple(by_moment[at_s] for at_s in moments if at_s > live.frontier_s and at_s >= live.until_s)
    taken = {live.frontier_s, mid.frontier_s, old.frontier_s}
    late = [at_s for at_s in moments if at_s < live.until_s and at_s not in taken]
    base, state = Base.LIVE, live
    correct_since_s = None
    if late:
        reach = [at_s for at_s in late if at_s > old.frontier_s]
        if len(reach) < len(late):
            correct_since_s = late[0]
        if reach and reach[0] > mid.frontier_s:
            base, state = Base.MID, mid
        elif reach:
            base, state = Base.OLD, old
    upto_s = max(live.frontier_s, late[-1]) if base is not Base.LIVE else live.frontier_s
    return Plan(base, state.frontier_s, upto_s, live.until_s, ahead, correct_since_s)
