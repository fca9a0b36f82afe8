"""A device's battery runs low."""

from tracker.domain.fields import Field, FieldKind
from tracker.domain.rule import Heard, Input, InputKind, JsonState, Moved, Raised, Setting, Untimed, Urgency
from tracker.domain.subject import SubjectKind

REARM_PCT = 10.0
"""So far above the limit a battery must have been before it is told again that it is below."""


class Battery(Untimed):
    """Raises "battery_low" when a device that is not charging falls below `below_pct`."""

    name = "battery"
    title = "Battery low"
    fields = (
        Field(
            name="below_pct", kind=FieldKind.NUMBER, label="Below", default=15.0, least=1, most=90, unit="%"
        ),
    )
    inputs = frozenset({InputKind.MOVED, InputKind.HEARD})
    fits: frozenset[SubjectKind] = frozenset()
    needs_fence = False
    urgency = Urgency.NORMAL
    types = ("battery_low",)

    def begin(self, setting: Setting) -> JsonState:
        """Return no device as low."""
        return {}

    def step(
        self, setting: Setting, state: JsonState, given: Input, at_s: float
    ) -> tuple[JsonState, tuple[Raised, ...]]:
        """Take a position or fact that tells the battery."""
        charging: object = None
        if isinstance(given, Moved):
            level, charging = given.fix.battery_pct, given.fix.charging
        elif isinstance(given, Heard):
            level, charging = given.data.get("battery_pct"), given.data.get("charging")
        else:
            return state, ()
        if isinstance(level, bool) or not isinstance(level, int | float):
            return state, ()
        device_id, below_pct = given.device_id, setting.rule.args["below_pct"]
        low = state.get(device_id, False)
        if low:
            rested = level >= min(100.0, below_pct + REARM_PCT)
            return ({**state, device_id: False} if rested else state), ()
        if level >= below_pct or charging is True:
            return state, ()
        raised = Raised("battery_low", at_s, at_s, f"{device_id}:{at_s:.3f}", {"battery_pct": float(level)})
        return {**state, device_id: True}, (raised,)


RULE = Battery()
