"""A thing or an animal goes off without the one it belongs with."""

from typing import Any

from tracker.domain.fields import Field, FieldKind
from tracker.domain.geo import LatLon, distance_m
from tracker.domain.observation import Observation
from tracker.domain.rule import Input, InputKind, JsonState, Moved, Nearby, Raised, Setting, Untimed, Urgency
from tracker.domain.subject import SubjectKind

MOVED_M = 100.0
"""So far from where it was left it is on its way, and its receiver does not wander."""
FIXES = 2
"""So many fixes beyond that in a row: one may err."""


class MovesWithoutOwner(Untimed):
    """Raises "moved_without_owner" when the subject moves off while its owner is `apart_m` away or more.

    Where the owner left it is where it was when they were first apart; together again, it starts anew.
    """

    name = "moves_without_owner"
    title = "Moves without its owner"
    fields = (
        Field(name="owner_subject_id", kind=FieldKind.SUBJECT, label="Owner"),
        Field(
            name="apart_m",
            kind=FieldKind.NUMBER,
            label="Apart by",
            default=300.0,
            least=50,
            most=50_000,
            unit="m",
        ),
    )
    inputs = frozenset({InputKind.MOVED, InputKind.NEARBY})
    fits = frozenset({SubjectKind.VEHICLE, SubjectKind.PET, SubjectKind.PHONE})
    needs_fence = False
    urgency = Urgency.ALARM
    types = ("moved_without_owner",)

    def begin(self, setting: Setting) -> JsonState:
        """Return that they are together, nowhere yet."""
        return {"at": None, "left_at": None, "beyond": 0, "told": False}

    def step(
        self, setting: Setting, state: JsonState, given: Input, at_s: float
    ) -> tuple[JsonState, tuple[Raised, ...]]:
        """Take a position of the subject, or how far the owner is."""
        if isinstance(given, Nearby):
            return _seen(setting, state, given, at_s), ()
        if not isinstance(given, Moved):
            return state, ()
        fix = given.fix
        state = {**state, "at": [fix.lat, fix.lon]}
        if state["left_at"] is None or state["told"]:
            return state, ()
        away_m = _away_m(state["left_at"], fix)
        beyond = state["beyond"] + 1 if away_m > MOVED_M + 2 * (fix.accuracy_m or 0.0) else 0
        if beyond < FIXES:
            return {**state, "beyond": beyond}, ()
        data = {"away_m": round(away_m), "owner_m": round(state["owner_m"]), "lat": fix.lat, "lon": fix.lon}
        raised = Raised("moved_without_owner", at_s, at_s, f"{state['since_s']:.3f}", data)
        return {**state, "beyond": beyond, "told": True}, (raised,)


def _seen(setting: Setting, state: JsonState, given: Nearby, at_s: float) -> JsonState:
    args = setting.rule.args
    if given.other_subject_id != args["owner_subject_id"]:
        return state
    if given.distance_m - given.accuracy_m > args["apart_m"]:
        if state["left_at"] is not None or state["at"] is None:
            return {**state, "owner_m": given.distance_m} if state["left_at"] is not None else state
        return {**state, "left_at": state["at"], "since_s": at_s, "owner_m": given.distance_m}
    if given.distance_m <= args["apart_m"]:
        return {"at": state["at"], "left_at": None, "beyond": 0, "told": False}
    return state


def _away_m(left_at: Any, fix: Observation) -> float:
    return distance_m(LatLon(lat=left_at[0], lon=left_at[1]), LatLon(lat=fix.lat, lon=fix.lon))


RULE = MovesWithoutOwner()
