"""Folds what all devices of one subject told, over its fences and its rules together. Pure.

A subject is folded as one: its rules take what any of its devices told, by moment.
"""

import math
import struct
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from tracker.domain import fold
from tracker.domain.crossing import Crossing, How, Phase
from tracker.domain.fold import RuleRaised, RuleState, Running, Timed, crossed_at
from tracker.domain.observation import Observation
from tracker.domain.rule import Crossed, Heard, InputKind, Nearby
from tracker.geofence import device_state, engine
from tracker.geofence.book import Bound, Watched
from tracker.geofence.device_state import DeviceState

_POINT = struct.Struct("!dd")


class Point(NamedTuple):
    """A device's state; `cut_s`: everything stored up to then is in it, `heard_s`: its newest fix or fact."""

    cut_s: float
    heard_s: float
    state: DeviceState


class Subject(NamedTuple):
    """How far a subject's devices and rules have come; a rule without an entry has not begun."""

    points: Mapping[str, Point]
    rules: Mapping[str, RuleState]

    @property
    def cut_s(self) -> float:
        """The moment up to which everything is in it: nothing may be given that is not later."""
        moments = [point.cut_s for point in self.points.values()]
        moments += [state.until_s for state in self.rules.values() if state.until_s is not None]
        return max(moments, default=-math.inf)


class Folding(NamedTuple):
    """What a fold made: the state after it, crossings, what rules raised, by rule those that failed."""

    subject: Subject
    crossings: tuple[Crossing, ...]
    raised: tuple[RuleRaised, ...]
    failed: tuple[str, ...]
    devices: Mapping[float, str]
    """By the moment of an input, whose it was."""


Near = Callable[[str, Observation], Iterable[Nearby]]
"""Which other subjects were near a fix of a device of this one."""


def begin_point(watched: Watched) -> Point:
    """Return the point of a device that told nothing yet."""
    return Point(watched.since_s, -math.inf, device_state.begin(watched.since_s))


def begin(watched: Watched) -> Subject:
    """Return the state before anything was told."""
    return Subject({name: begin_point(watched) for name in watched.device_ids}, {})


def is_late(subject: Subject, device_id: str, at_s: float, *, fact: bool) -> bool:
    """Tell whether an input is of the past already decided about: it must be put in its place by a rewind."""
    point = subject.points[device_id]
    if not fact and (at_s <= point.state.frontier_s or at_s < point.state.until_s):
        return True
    key = at_s, device_id, 3 if fact else 0, ""
    return any(
        (state.until_s is not None and at_s < state.until_s)
        or (state.taken is not None and key <= state.taken)
        for state in subject.rules.values()
    )


def run(
    watched: Watched,
    base: Subject,
    fixes: Mapping[str, Sequence[Observation]],
    facts: Iterable[Timed],
    until_s: float = -math.inf,
    near: Near | None = None,
    rules: Sequence[Bound] | None = None,
) -> Folding:
    """Fold fixes (by device, sorted) and facts that are later than `base`; then let time pass to `until_s`.

    Time passes to the last input at least: what the silence of one device decides before that is decided.
    `rules` are those at work, all by default.
    """
    inputs = list(facts)
    crossings: list[Crossing] = []
    states: dict[str, DeviceState] = {}
    devices = {timed.at_s: timed.device_id for timed in inputs}
    for device_id, point in base.points.items():
        owner, state, fences = watched.owner(device_id), point.state, watched.fences_of(device_id)
        for fix in fixes.get(device_id, ()):
            before = state.last
            stepped = engine.step(state, fences, fix, owner)
            state = stepped.state
            crossings += stepped.crossings
            inputs += engine.inputs_of(stepped, before, device_id, fix.at_s)
            devices[fix.at_s] = device_id
            if near is not None:
                inputs += [
                    Timed(fix.at_s, "", one) for seen in stepped.believed for one in near(device_id, seen)
                ]
        states[device_id] = state
    horizon_s = max((until_s, *(timed.at_s for timed in inputs)))
    for device_id, state in states.items():
        states[device_id], settled = engine.advance(
            state, watched.fences_of(device_id), horizon_s, watched.owner(device_id)
        )
        crossings += settled
        inputs += map(crossed_at, settled)
        devices |= {crossing.decided_at.timestamp(): device_id for crossing in settled}
    after, raised, failed = _run_rules(
        watched, base, inputs, horizon_s, watched.bound if rules is None else rules
    )
    heard = _heard(base, inputs)
    points = {
        device_id: Point(base.points[device_id].cut_s, heard.get(device_id, -math.inf), state)
        for device_id, state in states.items()
    }
    return Folding(Subject(points, after), tuple(crossings), tuple(raised), tuple(failed), devices)


def _run_rules(
    watched: Watched, base: Subject, inputs: Sequence[Timed], horizon_s: float, rules: Sequence[Bound]
) -> tuple[dict[str, RuleState], list[RuleRaised], list[str]]:
    heard_s = {name: point.heard_s for name, point in base.points.items() if point.heard_s > -math.inf}
    until_s = horizon_s if math.isfinite(horizon_s) else None
    after = dict(base.rules)
    raised: list[RuleRaised] = []
    failed: list[str] = []
    kinds = {fold.input_kind(timed.given) for timed in inputs}
    for bound in rules:
        rule_id = bound.rule.rule_id
        running = Running(bound.kind, bound.setting(watched, heard_s))
        try:
            done = _run_rule(watched, base, bound, running, inputs, kinds, until_s)
        except Exception:
            # One rule's mistake must not cost a good position, nor another rule.
            failed.append(rule_id)
            continue
        if done is not None:
            after[rule_id] = done.states[rule_id]
            raised += done.raised
    raised.sort(key=lambda one: (one.at_s, one.rule_id))
    return after, raised, failed


def _run_rule(
    watched: Watched,
    base: Subject,
    bound: Bound,
    running: Running,
    inputs: Sequence[Timed],
    kinds: Collection[InputKind],
    until_s: float | None,
) -> fold.Run | None:
    """Fold one rule; None: nothing of this concerns it."""
    state = base.rules.get(bound.rule.rule_id)
    if state is None:
        given = [*_known(watched, base, bound), *inputs]
        if not given and (until_s is None or until_s < bound.rule.active_from.timestamp()):
            return None
        return fold.run([running], {}, given, until_s)
    if bound.kind.inputs.isdisjoint(kinds):
        # What was heard meanwhile can only put off what is due.
        due_at_s = fold.due_s(running, state)
        if due_at_s is None or until_s is None or due_at_s > until_s:
            return None
    try:
        return fold.run([running], base.rules, inputs, until_s)
    except ValueError:
        # A device that changed its owner told something before.
        return fold.run([running], base.rules, [one for one in inputs if fold.reaches(state, one)], until_s)


def _known(watched: Watched, base: Subject, bound: Bound) -> list[Timed]:
    """Return, as crossings long made, where a rule that begins finds the devices."""
    if InputKind.CROSSED not in bound.kind.inputs:
        return []
    found = []
    for device_id, point in base.points.items():
        for geofence_id, entry in point.state.fences.items():
            fence = watched.geofences.get(geofence_id)
            mine = bound.fence is None or bound.fence.geofence_id == geofence_id
            if fence is None or not mine or entry.phase is Phase.UNKNOWN:
                continue
            at = datetime.fromtimestamp(entry.since_s, UTC)
            crossing = Crossing(
                account_id=watched.account_id,
                subject_id=watched.subject_id,
                device_id=device_id,
                geofence_id=geofence_id,
                fence_version=entry.version,
                into=entry.phase,
                how=How.FIRST,
                at=at,
                earliest=at,
                decided_at=at,
                after_gap=False,
                evidence=(),
            )
            found.append(Timed(entry.since_s, device_id, Crossed(crossing)))
    return found


def _heard(base: Subject, inputs: Iterable[Timed]) -> dict[str, float]:
    heard = {name: point.heard_s for name, point in base.points.items()}
    for timed in inputs:
        if timed.device_id in heard and not isinstance(timed.given, Crossed):
            heard[timed.device_id] = max(heard[timed.device_id], timed.at_s)
    return heard


def time_out(watched: Watched, subject: Subject, until_s: float) -> Folding:
    """Let time pass to `until_s`; nothing changes unless that decides something."""
    return run(watched, subject, {}, (), until_s)


def due_s(watched: Watched, subject: Subject, rule: Bound) -> float | None:
    """Return when time alone will next move a rule; None: never."""
    state = subject.rules.get(rule.rule.rule_id)
    if state is None:
        return None
    heard_s = {name: point.heard_s for name, point in subject.points.items() if point.heard_s > -math.inf}
    try:
        return fold.due_s(Running(rule.kind, rule.setting(watched, heard_s)), state)
    except Exception:
        return None


def reach_s(subject: Subject) -> float:
    """Return the moment of the newest input, or decision by time alone, that is in it."""
    moments = [subject.cut_s]
    moments += [
        max(point.state.frontier_s, point.state.until_s, point.heard_s) for point in subject.points.values()
    ]
    return max(moments)


def cut_at(subject: Subject) -> Subject:
    """Return the state as one to rewind to: it holds everything up to now."""
    cut_s = reach_s(subject)
    points = {name: point._replace(cut_s=cut_s) for name, point in subject.points.items()}
    return Subject(points, subject.rules)


def lags_s(watched: Watched, subject: Subject) -> float:
    """Return up to when everything is decided: the cut, or earlier if something due was not done yet."""
    due = [moment for point in subject.points.values() if (moment := engine.due_s(point.state)) is not None]
    due += [moment for bound in watched.bound if (moment := due_s(watched, subject, bound)) is not None]
    first_s = min(due, default=math.inf)
    return min(subject.cut_s, math.nextafter(first_s, -math.inf))


def to_bytes(point: Point) -> bytes:
    """Return a device's point as bytes; equal points give equal bytes."""
    return _POINT.pack(point.cut_s, point.heard_s) + device_state.to_bytes(point.state)


def from_bytes(data: bytes) -> Point:
    """Return the point that `to_bytes` wrote.

    Raises:
        ValueError: not such bytes.
    """
    if len(data) <= _POINT.size:
        raise ValueError("not a device's point")
    cut_s, heard_s = _POINT.unpack_from(data)
    return Point(cut_s, heard_s, device_state.from_bytes(data[_POINT.size :]))


def is_readable(data: bytes) -> bool:
    """Tell whether `from_bytes` can read these bytes."""
    try:
        from_bytes(data)
    except ValueError:
        return False
    return True


def cut_of(data: bytes) -> float:
    """Return the moment of a point's bytes."""
    cut_s: float = _POINT.unpack_from(data)[0]
    return cut_s


def heard_input(device_id: str, at_s: float, kind: str, data: Mapping[str, Any]) -> Timed:
    """Return a fact as the rules take it."""
    return Timed(at_s, device_id, Heard(device_id, at_s, kind, data))
