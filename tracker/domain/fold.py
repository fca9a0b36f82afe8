"""The fold of rules over what was heard of one subject: all its devices, merged by moment. Pure."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from tracker.domain.crossing import Crossing
from tracker.domain.geofence import Geofence
from tracker.domain.rule import (
    Crossed,
    Heard,
    Input,
    InputKind,
    JsonState,
    Moved,
    Nearby,
    Passed,
    Raised,
    Rule,
    RuleKind,
    Setting,
)
from tracker.domain.schedule import covers

KEEPS_ITS_HOURS = frozenset({"not_arrived", "left_early"})
"""Kinds that look at the schedule themselves: what they raise may lie just behind its end."""
_DUE_MOST = 1_000
"""No rule does more than so many things in one silence; one that would is left where it stands."""


class Timed(NamedTuple):
    """An input with the moment at which it became known: a crossing's decision, a held fix's confirmation.

    `device_id` is empty for what no device of the subject told (another subject nearby).
    """

    at_s: float
    device_id: str
    given: Input


Key = tuple[float, str, int, str]
"""The order of inputs: moment, device, kind (crossings first), and what tells two apart."""


class RuleState(NamedTuple):
    """A rule's state for one subject and how far it has come.

    `taken` is the newest input stepped, None before the first. `until_s` is the newest moment at which input
    or time alone did something; None before. As with a device, merely asking for time changes neither.
    """

    state: JsonState
    taken: Key | None = None
    until_s: float | None = None


class Running(NamedTuple):
    """A kind of rule at work for one subject; `setting.heard_s` is as of before the inputs."""

    kind: RuleKind
    setting: Setting


class RuleRaised(NamedTuple):
    """What a rule raised; `at_s` is the moment of the input or of the silence that made it."""

    rule_id: str
    at_s: float
    raised: Raised


class Run(NamedTuple):
    """The states by rule, and what was raised in its order."""

    states: Mapping[str, RuleState]
    raised: tuple[RuleRaised, ...]


def begin(running: Running) -> RuleState:
    """Return the state of a rule before its first input."""
    return RuleState(running.kind.begin(running.setting))


def run(
    settings: Sequence[Running],
    states: Mapping[str, RuleState],
    inputs: Iterable[Timed],
    until_s: float | None = None,
) -> Run:
    """Fold rules of one subject over inputs of all its devices, in any order; let time pass to `until_s`.

    A rule is told the inputs of its kinds, crossings and passages of its own fence alone if it has one.
    Everybody hears of every device's moment: give `Moved` and `Heard` of all devices, or set
    `setting.heard_s`. A rule without an entry in `states` begins. What is decided before `rule.active_from`
    is folded and raises nothing, so crossings of before tell a new rule where everybody is. `until_s` None:
    time stands still after the last input.

    Raises:
        ValueError: an input is older than a state: the caller must rewind (`reaches`).
    """
    ordered = sorted(inputs, key=key_of)
    heard = [dict(one.setting.heard_s) for one in settings]
    runners = [
        _Runner(one, states.get(one.setting.rule.rule_id), heard_s)
        for one, heard_s in zip(settings, heard, strict=True)
    ]
    for at_s, together in groupby(ordered, key=lambda timed: timed.at_s):
        moment = list(together)
        for runner in runners:
            # All of them, for what falls due is judged by what had been heard until then.
            runner.advance(at_s)
        for timed in moment:
            if isinstance(timed.given, Moved | Heard):
                for heard_s in heard:
                    heard_s[timed.device_id] = max(at_s, heard_s.get(timed.device_id, at_s))
        for runner in runners:
            for timed in moment:
                if runner.wants(timed.given):
                    runner.step(timed)
    if until_s is not None:
        for runner in runners:
            runner.advance(until_s)
    raised = [one for runner in runners for one in runner.raised]
    raised.sort(key=lambda one: (one.at_s, one.rule_id))
    return Run({runner.rule_id: runner.state for runner in runners}, tuple(raised))


class _Runner:
    """One rule on its way through the inputs."""

    def __init__(self, running: Running, state: RuleState | None, heard_s: Mapping[str, float]) -> None:
        # One mapping, moved on as the inputs pass: a new setting for each fix would cost more than the step.
        self._setting = running.setting._replace(heard_s=heard_s)
        self._kind = running.kind
        self.rule_id = running.setting.rule.rule_id
        self._geofence_id = running.setting.rule.geofence_id
        self._active_s = running.setting.rule.active_from.timestamp()
        self.state = begin(running) if state is None else state
        self.raised: list[RuleRaised] = []

    def wants(self, given: Input) -> bool:
        """Tell whether the rule is told this."""
        if input_kind(given) not in self._kind.inputs:
            return False
        if self._geofence_id is None or not isinstance(given, Crossed | Passed):
            return True
        geofence_id = given.crossing.geofence_id if isinstance(given, Crossed) else given.geofence_id
        return geofence_id == self._geofence_id

    def advance(self, until_s: float) -> None:
        """Let the rule do, one by one, what falls due."""
        for _ in range(_DUE_MOST):
            due_s = self._kind.due_s(self._setting, self.state.state)
            if due_s is None or due_s > until_s:
                return
            # What fell due before the last input (a rule that was changed) is done now.
            moment = due_s if self.state.until_s is None else max(due_s, self.state.until_s)
            state, raised = self._kind.advance(self._setting, self.state.state, moment)
            if state == self.state.state and not raised:
                return
            self._take(RuleState(state, self.state.taken, moment), raised, moment)

    def step(self, timed: Timed) -> None:
        """Take one input."""
        key = key_of(timed)
        if not reaches(self.state, timed):
            raise ValueError("the input is older than the rule's state")
        state, raised = self._kind.step(self._setting, self.state.state, timed.given, timed.at_s)
        self._take(RuleState(state, key, timed.at_s), raised, timed.at_s)

    def _take(self, state: RuleState, raised: Iterable[Raised], at_s: float) -> None:
        self.state = state
        self.raised += [
            RuleRaised(self.rule_id, at_s, one) for one in raised if one.decided_at_s >= self._active_s
        ]


def reaches(state: RuleState, timed: Timed) -> bool:
    """Tell whether an input can be stepped: newer than the last one, and not before what time has decided."""
    if state.until_s is not None and timed.at_s < state.until_s:
        return False
    return state.taken is None or key_of(timed) > state.taken


def due_s(running: Running, state: RuleState) -> float | None:
    """Return when time alone will next do something; None: never."""
    return running.kind.due_s(running.setting, state.state)


def is_asleep(rule: Rule, fence: Geofence | None, zone: ZoneInfo, at: datetime) -> bool:
    """Tell whether a rule, or its fence, sleeps at a moment: what it raises then is noted, not told.

    `zone` is where schedules without one of their own are read.
    """
    if rule.kind in KEEPS_ITS_HOURS:
        return False
    schedules = (rule.schedule, fence.schedule if fence is not None else None)
    return any(each is not None and not covers(each, at, zone) for each in schedules)


def crossed_at(crossing: Crossing) -> Timed:
    """Return a crossing as input: known at its decision."""
    return Timed(crossing.decided_at.timestamp(), crossing.device_id, Crossed(crossing))


_KINDS: Mapping[type, tuple[InputKind, int]] = {
    Crossed: (InputKind.CROSSED, 0),
    Passed: (InputKind.PASSED, 1),
    Moved: (InputKind.MOVED, 2),
    Heard: (InputKind.HEARD, 3),
    Nearby: (InputKind.NEARBY, 4),
}


def input_kind(given: Input) -> InputKind:
    """Return the kind of an input."""
    return _KINDS[type(given)][0]


def key_of(timed: Timed) -> Key:
    """Return where an input stands in the order of all of a subject."""
    return (timed.at_s, timed.device_id, _KINDS[type(timed.given)][1], _apart(timed.given))


def _apart(given: Input) -> str:
    """Return what tells two inputs of one moment, device and kind apart."""
    match given:
        case Moved(fix=fix):
            return f"{fix.at_s:020.6f}"
        case Crossed(crossing=crossing):
            return crossing.key
        case Passed(geofence_id=geofence_id):
            return geofence_id
        case Heard(kind=kind, data=data):
            return kind + json.dumps(data, sort_keys=True, default=str)
        case Nearby(other_subject_id=other):
            return other


def to_json(state: RuleState) -> dict[str, Any]:
    """Return the state as JSON values; `from_json` reads it."""
    taken = None if state.taken is None else list(state.taken)
    return {"state": dict(state.state), "taken": taken, "until_s": state.until_s}


def from_json(stored: Mapping[str, Any]) -> RuleState:
    """Return the state that `to_json` gave, also after a way through JSON."""
    taken = stored["taken"]
    key = None if taken is None else (float(taken[0]), str(taken[1]), int(taken[2]), str(taken[3]))
    until_s = stored["until_s"]
    return RuleState(stored["state"], key, None if until_s is None else float(until_s))
