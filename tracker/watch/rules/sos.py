"""A device calls for help."""

from tracker.domain.fields import Field
from tracker.domain.rule import Heard, Input, InputKind, JsonState, Moved, Raised, Setting, Untimed, Urgency
from tracker.domain.subject import SubjectKind

QUIET_S = 300.0
"""A device that repeats its call, as trackers do with each fix, calls once."""
CRIES = frozenset({"sos", "panic", "help"})


class Sos(Untimed):
    """Raises "sos" at a cry after five minutes without one."""

    name = "sos"
    title = "Call for help"
    fields: tuple[Field, ...] = ()
    inputs = frozenset({InputKind.MOVED, InputKind.HEARD})
    fits: frozenset[SubjectKind] = frozenset()
    needs_fence = False
    urgency = Urgency.ALARM
    types = ("sos",)

    def begin(self, setting: Setting) -> JsonState:
        """Return no cry by any device."""
        return {}

    def step(
        self,
        setting: Setting,
        state: JsonState,
        given: Input,
        at_s: float,
    ) -> tuple[JsonState, tuple[Raised, ...]]:
        """Take a position or fact."""
        if isinstance(given, Moved):
            cries, data = (
                (given.fix.alarm or "").lower() in CRIES,
                {"lat": given.fix.lat, "lon": given.fix.lon},
            )
        elif isinstance(given, Heard):
            cries, data = given.kind == "sos", {}
        else:
            return state, ()
        if not cries:
            return state, ()
        device_id = given.device_id
        last_s = state.get(device_id)
        after = {**state, device_id: at_s}
        if last_s is not None and at_s - last_s <= QUIET_S:
            return after, ()
        return after, (Raised("sos", at_s, at_s, f"{device_id}:{at_s:.3f}", data),)


RULE = Sos()
