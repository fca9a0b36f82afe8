"""A subject is not at a place by a time of day."""

import math
from typing import Any

from tracker.domain.crossing import Evidence, Phase, Side
from tracker.domain.fields import Field, FieldKind
from tracker.domain.observation import Observation
from tracker.domain.rule import Crossed, Input, InputKind, JsonState, Moved, Raised, Setting, Urgency
from tracker.domain.subject import SubjectKind
from tracker.geofence.rules import _presence
from tracker.geofence.rules._clock import next_s
from tracker.geofence.rules._nearness import evidence_of
from tracker.geofence.rules._presence import Presence, Turn, concerns, cross, event_of, presence_of

LATE_FOR_S = 12 * 3600.0
"""A coming within this time after the hour is still the one that was waited for."""
WAIT_LEAST_S = 120.0
"""How long at least a subject on the edge is waited for."""
DAYS_AHEAD = 400
NEAR_S = 3600.0
"""So long before the hour, or longer if silence is, every fix is remembered; earlier one in ten minutes."""
APART_S = 600.0


class NotArrived:
    """Raises "not_arrived" at `by` + `grace_s` if the subject is not inside, on days in force.

    Inside at `by`, or coming within the grace, is enough; one who was there and left is not there. Without
    a fix younger than `silent_after_s` it is "not_arrived_silent": nobody knows. If the last fix does not say
    out for sure, it waits once more for the grace, two minutes at least; one surely inside is then enough.
    "arrived_late" ends either.
    """

    name = "not_arrived"
    title = "Is not there in time"
    fields = (
        Field(name="by", kind=FieldKind.TIME, label="By"),
        Field(
            name="grace_s",
            kind=FieldKind.DURATION,
            label="Grace",
            default=300.0,
            least=0,
            most=7200,
            unit="s",
        ),
        Field(
            name="silent_after_s",
            kind=FieldKind.DURATION,
            label="Silent without a position for",
            default=1200.0,
            least=120,
            most=43_200,
            unit="s",
        ),
    )
    inputs = frozenset({InputKind.CROSSED, InputKind.MOVED, InputKind.HEARD})
    fits: frozenset[SubjectKind] = frozenset()
    needs_fence = True
    urgency = Urgency.URGENT
    types = ("not_arrived", "not_arrived_silent", "arrived_late")

    def begin(self, setting: Setting) -> JsonState:
        """Return that nothing is known, and the first hour after the rule was made.

        `by_s` is the hour waited for, `due_s` when to look next, `open` an hour that was missed:
        [slot, moment], `fix` the last one: [moment, lat, lon, accuracy].
        """
        state = {**Presence().as_json(), "open": None, "fix": None}
        return _await_next(setting, state, setting.rule.active_from.timestamp())

    def step(
        self, setting: Setting, state: JsonState, given: Input, at_s: float
    ) -> tuple[JsonState, tuple[Raised, ...]]:
        """Take a crossing or a position; facts count by `heard_s` alone."""
        if isinstance(given, Moved):
            return _with_fix(setting, state, given.fix), ()
        if not isinstance(given, Crossed) or not concerns(setting, given.crossing):
            return state, ()
        presence, turn = cross(setting, presence_of(state), given.crossing)
        state = {**state, **presence.as_json()}
        return state if turn is None else _turned(setting, state, turn), _late(setting, state, turn, at_s)

    def advance(
        self, setting: Setting, state: JsonState, until_s: float
    ) -> tuple[JsonState, tuple[Raised, ...]]:
        """Let time pass: the hour, its grace, the wait for who is on the edge."""
        raised: tuple[Raised, ...] = ()
        while (at_s := self.due_s(setting, state)) is not None and at_s <= until_s:
            if at_s == state["due_s"]:
                state, more = _look(setting, state)
                raised += more
            else:
                presence, _ = _presence.give_up(setting, presence_of(state), at_s)
                state = {**state, **presence.as_json()}
        return state, raised

    def due_s(self, setting: Setting, state: JsonState) -> float | None:
        """Return when to look next."""
        moments = (state["due_s"], _presence.due_s(setting, presence_of(state)))
        return min((moment for moment in moments if moment is not None), default=None)


def _await_next(setting: Setting, state: JsonState, after_s: float) -> JsonState:
    by_s = next_s(setting, setting.rule.args["by"], after_s, DAYS_AHEAD)
    return {**state, "by_s": by_s, "due_s": by_s, "waited": False}


def _with_fix(setting: Setting, state: JsonState, fix: Observation) -> JsonState:
    """Remember a fix, but far from the hour only now and then: each change of a state is written."""
    last, by_s, args = state["fix"], state["by_s"], setting.rule.args
    if by_s is None:
        return state
    near_s = by_s - max(NEAR_S, args["silent_after_s"] - args["grace_s"])
    if last is not None and fix.at_s < near_s and fix.at_s - last[0] < APART_S:
        return state
    accuracy_m = fix.accuracy_m if fix.accuracy_m is not None and math.isfinite(fix.accuracy_m) else None
    return {**state, "fix": [fix.at_s, fix.lat, fix.lon, accuracy_m]}


def _turned(setting: Setting, state: JsonState, turn: Turn) -> JsonState:
    """A coming ends the hour that was missed, and one within the grace meets the hour."""
    if not turn.came_in:
        return state
    by_s, due_s = state["by_s"], state["due_s"]
    if by_s is not None and due_s > by_s:
        return _await_next(setting, {**state, "open": None}, by_s)
    return {**state, "open": None}


def _look(setting: Setting, state: JsonState) -> tuple[JsonState, tuple[Raised, ...]]:
    """Look at `due_s` whether the subject is there."""
    args, by_s, due_s = setting.rule.args, state["by_s"], state["due_s"]
    if state["side"] == Phase.IN:
        return _await_next(setting, state, by_s), ()
    decide_s = by_s + args["grace_s"]
    if due_s < decide_s:
        return {**state, "due_s": decide_s}, ()
    fix = state["fix"] and Observation(*state["fix"])
    evidence = evidence_of(setting.fence, fix) if fix and setting.fence else None
    alive = fix is not None and fix.at_s >= decide_s - args["silent_after_s"]
    unsure = alive and evidence is not None and evidence.side is not Side.OUT
    if unsure and not state["waited"]:
        return {**state, "due_s": decide_s + max(args["grace_s"], WAIT_LEAST_S), "waited": True}, ()
    if unsure and evidence is not None and evidence.side is Side.IN:
        # One sure fix inside and none against it: no crossing, but no reason for an alarm either.
        return _await_next(setting, state, by_s), ()
    slot = f"{by_s:.0f}"
    data: dict[str, Any] = {"by": args["by"], "earliest_at": decide_s}
    if unsure and evidence is not None:
        data["probability_pct"] = round(100 * evidence.probability)
    if not alive:
        data |= _silence(setting, fix, decide_s)
    raised = Raised(
        type="not_arrived" if alive else "not_arrived_silent",
        at_s=decide_s,
        decided_at_s=due_s,
        slot=slot,
        data=data,
        why=_why(fix, evidence),
    )
    return _await_next(setting, {**state, "open": [slot, by_s]}, by_s), (raised,)


def _silence(setting: Setting, fix: Observation | None, decide_s: float) -> dict[str, float]:
    """Return since when nothing was heard; nothing if nothing ever was."""
    heard = [at_s for at_s in setting.heard_s.values() if at_s <= decide_s]
    if fix is not None:
        heard.append(fix.at_s)
    return {"heard_at": max(heard), "silent_s": decide_s - max(heard)} if heard else {}


def _why(fix: Observation | None, evidence: Evidence | None) -> tuple[Evidence | dict[str, Any], ...]:
    if evidence is not None:
        return (evidence,)
    if fix is None:
        return ()
    return ({"at_s": fix.at_s, "lat": fix.lat, "lon": fix.lon, "accuracy_m": fix.accuracy_m},)


def _late(setting: Setting, state: JsonState, turn: Turn | None, at_s: float) -> tuple[Raised, ...]:
    missed = state["open"]
    if turn is None or turn.silent or not turn.came_in or missed is None:
        return ()
    slot, by_s = missed
    if turn.at_s > by_s + LATE_FOR_S:
        return ()
    by = setting.rule.args["by"]
    late = event_of(turn, "arrived_late", at_s, by=by, late_s=max(0.0, turn.at_s - by_s))
    return (late._replace(slot=slot, ends=True),)


RULE = NotArrived()
