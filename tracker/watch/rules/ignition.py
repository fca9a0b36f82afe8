"""A vehicle's ignition is switched."""

from tracker.domain.fields import Field, FieldKind
from tracker.domain.rule import Input, InputKind, JsonState, Moved, Raised, Setting, Untimed, Urgency
from tracker.domain.subject import SubjectKind

BOTH, ON, OFF = "both", "on", "off"


class Ignition(Untimed):
    """Raises "ignition_on" and "ignition_off" at a change from what the device said before."""

    name = "ignition"
    title = "Ignition switched"
    fields = (Field(name="edge", kind=FieldKind.CHOICE, label="When", default=BOTH, choices=(BOTH, ON, OFF)),)
    inputs = frozenset({InputKind.MOVED})
    fits = frozenset({SubjectKind.VEHICLE})
    needs_fence = False
    urgency = Urgency.QUIET
    types = ("ignition_on", "ignition_off")

    def begin(self, setting: Setting) -> JsonState:
        """Return no word of any device."""
        return {}

    def step(
        self, setting: Setting, state: JsonState, given: Input, at_s: float
    ) -> tuple[JsonState, tuple[Raised, ...]]:
        """Take a position."""
        if not isinstance(given, Moved) or given.fix.ignition is None:
            return state, ()
        device_id, now_on = given.device_id, given.fix.ignition
        was_on = state.get(device_id)
        if was_on == now_on:
            return state, ()
        after = {**state, device_id: now_on}
        edge = ON if now_on else OFF
        if was_on is None or setting.rule.args["edge"] not in {BOTH, edge}:
            return after, ()
        data = {"lat": given.fix.lat, "lon": given.fix.lon}
        return after, (Raised(f"ignition_{edge}", at_s, at_s, f"{device_id}:{at_s:.3f}", data),)


RULE = Ignition()
