"""What rules would have raised on stored history: the live folds, over positions of the past. Pure."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import NamedTuple

from tracker.domain import fold
from tracker.domain.crossing import Crossing
from tracker.domain.fold import Running, Timed
from tracker.domain.observation import Observation
from tracker.domain.rule import Moved, Nearby, Raised
from tracker.geofence.device_state import begin_checkpoints
from tracker.geofence.engine import Fences, Owner, replay
from tracker.geofence.index import Fence

_POINT_TEST = {"arrived": (True,), "left": (False,)}
"""What a point test is compared by: comings, goings; both for the other kinds."""


class Past(NamedTuple):
    """What is replayed of one subject: its rules, all fences that its crossings are wanted of, its devices.

    `positions` are by device, sorted by moment, without two of one moment; `facts` in any order. Give
    fences without terms: the question is what would have been had they been there.
    """

    account_id: str
    subject_id: str
    running: Sequence[Running]
    fences: Fences
    positions: Mapping[str, Sequence[Observation]]
    facts: Sequence[Timed] = ()
    near: Callable[[str, Observation], Iterable[Nearby]] | None = None


class Foreseen(NamedTuple):
    """One event that would have been: `crossing` is what made it, None if another input or time did.

    `tells`: neither the rule nor its fence would have been asleep.
    """

    rule_id: str
    subject_id: str
    raised: Raised
    crossing: Crossing | None
    tells: bool


class Preview(NamedTuple):
    """Events by moment, and counts of them; of positions; and of what a bare point test would have raised.

    `peer_point_test` None: no rule names a fence.
    """

    events: tuple[Foreseen, ...]
    by_type: Mapping[str, int]
    would_tell: int
    positions: int
    peer_point_test: int | None


def preview(pasts: Iterable[Past], since_s: float, until_s: float) -> Preview:
    """Replay rules over what was stored of subjects from `since_s` on, and let time pass to `until_s`.

    Every rule counts as active from `since_s`, and every fence as drawn before. Where a device is first is
    no event, as in life.

    Raises:
        ValueError: the positions of a device are not sorted.
    """
    events: list[Foreseen] = []
    positions, peer = 0, list[int]()
    for past in pasts:
        active = [_active_from(running, since_s) for running in past.running]
        crossings, inputs = _replayed(past, until_s)
        settings = {running.setting.rule.rule_id: running for running in active}
        for one in fold.run(active, {}, inputs, until_s).raised:
            running = settings[one.rule_id]
            setting, at = running.setting, datetime.fromtimestamp(one.raised.at_s, UTC)
            events.append(
                Foreseen(
                    one.rule_id,
                    past.subject_id,
                    one.raised,
                    _cause(running, one.raised, one.at_s, crossings),
                    not fold.is_asleep(setting.rule, setting.fence, setting.zone, at),
                )
            )
        positions += sum(map(len, past.positions.values()))
        peer += [count for running in active if (count := _point_test(running, past)) is not None]
    events.sort(key=lambda event: (event.raised.at_s, event.subject_id, event.rule_id))
    return Preview(
        events=tuple(events),
        by_type=Counter(event.raised.type for event in events),
        would_tell=sum(event.tells for event in events),
        positions=positions,
        peer_point_test=sum(peer) if peer else None,
    )


def _active_from(running: Running, since_s: float) -> Running:
    rule = replace(running.setting.rule, active_from=datetime.fromtimestamp(since_s, UTC))
    return running._replace(setting=running.setting._replace(rule=rule))


def _replayed(past: Past, until_s: float) -> tuple[list[Crossing], list[Timed]]:
    crossings, inputs = list[Crossing](), list(past.facts)
    for device_id, fixes in past.positions.items():
        owner = Owner(past.account_id, past.subject_id, device_id)
        folded = replay(begin_checkpoints(), past.fences, fixes, owner, until_s)
        crossings += folded.crossings
        inputs += folded.inputs
        if past.near is not None:
            inputs += [
                Timed(timed.at_s, "", one)
                for timed in folded.inputs
                if isinstance(timed.given, Moved)
                for one in past.near(device_id, timed.given.fix)
            ]
    return crossings, inputs


def _cause(
    running: Running, raised: Raised, known_s: float, crossings: Iterable[Crossing]
) -> Crossing | None:
    """Return the crossing that an event comes of: named by its slot, or of its moments."""
    geofence_id = running.setting.rule.geofence_id
    found = None
    for crossing in crossings:
        if crossing.key == raised.slot:
            return crossing
        if (
            geofence_id in (None, crossing.geofence_id)
            and crossing.decided_at.timestamp() == known_s
            and crossing.at.timestamp() == raised.at_s
        ):
            found = crossing
    return found


def _point_test(running: Running, past: Past) -> int | None:
    """Return how often a test of the bare points would have told, None without a fence.

    The rule of Traccar's geofence events: a point inside after one outside, or the other way round.
    """
    geofence_id = running.setting.rule.geofence_id
    fence = past.fences.index.fence(geofence_id) if geofence_id is not None else None
    if fence is None:
        return None
    wanted = _POINT_TEST.get(running.kind.name, (True, False))
    return sum(_changes(fence, fixes, wanted) for fixes in past.positions.values())


def _changes(fence: Fence, fixes: Iterable[Observation], wanted: Sequence[bool]) -> int:
    count, before = 0, None
    for fix in fixes:
        inside = fence.footprint.distance_m(fix.lat, fix.lon) <= 0
        if before is not None and inside is not before and inside in wanted:
            count += 1
        before = inside
    return count
