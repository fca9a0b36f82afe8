"""A subject moves too fast at a place."""

from typing import Any

from tracker.domain.crossing import Phase
from tracker.domain.fields import Field, FieldKind
from tracker.domain.rule import (
    Crossed,
    Input,
    InputKind,
    JsonState,
    Moved,
    Raised,
    Setting,
    Untimed,
    Urgency,
)
from tracker.domain.subject import SubjectKind
from tracker.geofence.rules._nearness import evidence_of
from tracker.geofence.rules._presence import concerns

BREAK_S = 120.0
"""Two fixes farther apart say nothing of the time between."""


class SpeedInPlace(Untimed):
    """Raises "speeding" once while a device that is inside tells a speed above the limit for `for_s`.

    Each of the fixes must lie inside itself: who drives out of a yard may speed up before the going out is
    confirmed.
    """

    name = "speed_in_place"
    title = "Too fast at a place"
    fields = (
        Field(name="limit_mps", kind=FieldKind.NUMBER, label="Limit", least=1, most=100, unit="m/s"),
        Field(
            name="for_s",
            kind=FieldKind.DURATION,
            label="For at least",
            default=10.0,
            least=0,
            most=3600,
            unit="s",
        ),
        Field(name="tolerance", kind=FieldKind.NUMBER, label="Tolerance", default=1.05, least=1, most=2),
    )
    inputs = frozenset({InputKind.MOVED, InputKind.CROSSED})
    fits: frozenset[SubjectKind] = frozenset()
    needs_fence = True
    urgency = Urgency.NORMAL
    types = ("speeding",)

    def begin(self, setting: Setting) -> JsonState:
        """Return that no device is inside or too fast."""
        return {"inside": [], "runs": {}}

    def step(
        self, setting: Setting, state: JsonState, given: Input, at_s: float
    ) -> tuple[JsonState, tuple[Raised, ...]]:
        """Take a crossing or a position."""
        if isinstance(given, Crossed):
            return _crossed(setting, state, given), ()
        if not isinstance(given, Moved) or given.device_id not in state["inside"]:
            return state, ()
        speed_mps, args = given.fix.speed_mps, setting.rule.args
        if speed_mps is None:
            return state, ()
        # What is no number is no speed.
        if not speed_mps > args["limit_mps"] * args["tolerance"] or not _is_inside(setting, given):
            return _without_run(state, given.device_id), ()
        # A fix that had to wait for another one's word is told with that one, later than it was.
        fix_s = given.fix.at_s
        run: dict[str, Any] = dict(state["runs"].get(given.device_id) or {})
        if not run or fix_s - run["last_s"] > BREAK_S:
            run = {"since_s": fix_s, "most_mps": 0.0, "raised": False}
        run |= {"last_s": fix_s, "most_mps": max(run["most_mps"], speed_mps)}
        raised: tuple[Raised, ...] = ()
        if not run["raised"] and fix_s - run["since_s"] >= args["for_s"]:
            run["raised"] = True
            raised = (_raised(setting, given, run, at_s),)
        return {**state, "runs": {**state["runs"], given.device_id: run}}, raised


def _crossed(setting: Setting, state: JsonState, given: Crossed) -> JsonState:
    crossing = given.crossing
    if not concerns(setting, crossing):
        return state
    inside = [device_id for device_id in state["inside"] if device_id != crossing.device_id]
    if crossing.into is Phase.IN:
        return {**state, "inside": [*inside, crossing.device_id]}
    return {**_without_run(state, crossing.device_id), "inside": inside}


def _without_run(state: JsonState, device_id: str) -> JsonState:
    if device_id not in state["runs"]:
        return state
    return {**state, "runs": {key: run for key, run in state["runs"].items() if key != device_id}}


def _is_inside(setting: Setting, given: Moved) -> bool:
    evidence = evidence_of(setting.fence, given.fix) if setting.fence else None
    return evidence is not None and evidence.distance_m <= 0


def _raised(setting: Setting, given: Moved, run: dict[str, Any], at_s: float) -> Raised:
    evidence = evidence_of(setting.fence, given.fix) if setting.fence else None
    data = {
        "device_id": given.device_id,
        "speed_mps": run["most_mps"],
        "limit_mps": setting.rule.args["limit_mps"],
        "lat": given.fix.lat,
        "lon": given.fix.lon,
    }
    slot = f"{given.device_id}:{run['since_s']:.3f}"
    return Raised("speeding", run["since_s"], at_s, slot, data, () if evidence is None else (evidence,))


RULE = SpeedInPlace()
