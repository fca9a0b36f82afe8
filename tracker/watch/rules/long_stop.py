"""A subject has stayed in one place for long, elsewhere than at its own places."""

from tracker.domain.crossing import Phase
from tracker.domain.fields import Field, FieldKind
from tracker.domain.geo import LatLon, distance_m
from tracker.domain.observation import Observation
from tracker.domain.rule import Crossed, Input, InputKind, JsonState, Moved, Raised, Setting, Urgency
from tracker.domain.subject import SubjectKind

RADIUS_M = 60.0
"""A place, as for the stops of the history."""
SLACK_MOST_M = 50.0
"""At most so much of a fix's accuracy widens the place for it."""
SILENT_S = 1800.0
"""Of who was heard longer ago than this nobody knows that he is still there."""


class LongStop:
    """Raises "long_stop" once a stay, when it has lasted `stop_s`.

    If the subject was silent for the last half hour of that, only a later fix at the place tells.
    """

    name = "long_stop"
    title = "Long stop"
    fields = (
        Field(
            name="stop_s",
            kind=FieldKind.DURATION,
            label="Longer than",
            default=3600.0,
            least=300,
            most=7 * 86_400,
            unit="s",
        ),
        Field(name="except_in_places", kind=FieldKind.FLAG, label="Not within my places", default=True),
    )
    inputs = frozenset({InputKind.MOVED, InputKind.CROSSED})
    fits: frozenset[SubjectKind] = frozenset()
    needs_fence = False
    urgency = Urgency.NORMAL
    types = ("long_stop",)

    def begin(self, setting: Setting) -> JsonState:
        """Return no stay, within no place."""
        return {"inside": []}

    def step(
        self, setting: Setting, state: JsonState, given: Input, at_s: float
    ) -> tuple[JsonState, tuple[Raised, ...]]:
        """Take a position or a crossing of any fence."""
        if isinstance(given, Crossed):
            return _crossed(state, given), ()
        if not isinstance(given, Moved):
            return state, ()
        fix = given.fix
        if "since_s" not in state or not _is_there(state, fix):
            return {"inside": state["inside"], "since_s": at_s, "lat": fix.lat, "lon": fix.lon}, ()
        if state.get("asked") and not state.get("told") and self._counts(setting, state):
            return {**state, "told": True}, (_raised(setting, state, at_s),)
        return state, ()

    def advance(
        self, setting: Setting, state: JsonState, until_s: float
    ) -> tuple[JsonState, tuple[Raised, ...]]:
        """Let time pass."""
        due_s = self.due_s(setting, state)
        if due_s is None or until_s < due_s:
            return state, ()
        state = {**state, "asked": True}
        heard_s = max(setting.heard_s.values(), default=state["since_s"])
        if heard_s < due_s - SILENT_S or not self._counts(setting, state):
            return state, ()
        return {**state, "told": True}, (_raised(setting, state, due_s),)

    def due_s(self, setting: Setting, state: JsonState) -> float | None:
        """Return when the present stay becomes a long one."""
        if "since_s" not in state or state.get("asked"):
            return None
        return float(state["since_s"]) + float(setting.rule.args["stop_s"])

    def _counts(self, setting: Setting, state: JsonState) -> bool:
        return not (setting.rule.args["except_in_places"] and state["inside"])


def _crossed(state: JsonState, given: Crossed) -> JsonState:
    crossing = given.crossing
    place = f"{crossing.device_id}:{crossing.geofence_id}"
    inside = [each for each in state["inside"] if each != place]
    if crossing.into is Phase.IN:
        inside.append(place)
    return {**state, "inside": inside}


def _is_there(state: JsonState, fix: Observation) -> bool:
    slack_m = min(fix.accuracy_m or 0.0, SLACK_MOST_M)
    there = LatLon(lat=state["lat"], lon=state["lon"])
    return distance_m(there, LatLon(lat=fix.lat, lon=fix.lon)) <= RADIUS_M + slack_m


def _raised(setting: Setting, state: JsonState, decided_s: float) -> Raised:
    since_s = state["since_s"]
    data = {
        "since_s": since_s,
        "stop_s": setting.rule.args["stop_s"],
        "lat": state["lat"],
        "lon": state["lon"],
    }
    return Raised("long_stop", since_s + setting.rule.args["stop_s"], decided_s, f"{since_s:.3f}", data)


RULE = LongStop()
