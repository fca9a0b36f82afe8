"""A vehicle is due for service by its odometer."""

import math

from tracker.domain.fields import Field, FieldKind
from tracker.domain.rule import Input, InputKind, JsonState, Moved, Raised, Setting, Untimed, Urgency
from tracker.domain.subject import SubjectKind


class Maintenance(Untimed):
    """Raises "maintenance_due" each time the odometer passes `since_km` plus a whole number of `every_km`.

    Services that were due before the first reading are not told.
    """

    name = "maintenance"
    title = "Service due"
    fields = (
        Field(
            name="every_km",
            kind=FieldKind.NUMBER,
            label="Every",
            default=15_000.0,
            least=100,
            most=500_000,
            unit="km",
        ),
        Field(
            name="since_km",
            kind=FieldKind.NUMBER,
            label="Counted from",
            default=0.0,
            least=0,
            most=5_000_000,
            unit="km",
        ),
    )
    inputs = frozenset({InputKind.MOVED})
    fits = frozenset({SubjectKind.VEHICLE})
    needs_fence = False
    urgency = Urgency.QUIET
    types = ("maintenance_due",)

    def begin(self, setting: Setting) -> JsonState:
        """Return no reading of any device."""
        return {}

    def step(
        self, setting: Setting, state: JsonState, given: Input, at_s: float
    ) -> tuple[JsonState, tuple[Raised, ...]]:
        """Take a position that tells the odometer."""
        if not isinstance(given, Moved) or given.fix.odometer_m is None:
            return state, ()
        args, device_id, odometer_km = setting.rule.args, given.device_id, given.fix.odometer_m / 1000
        count = math.floor((odometer_km - args["since_km"]) / args["every_km"])
        told = state.get(device_id)
        # Odometers are set back, too: what was told once is not told again.
        if told is not None and count <= told:
            return state, ()
        after = {**state, device_id: count}
        if told is None or count < 1:
            return after, ()
        data = {"odometer_km": round(odometer_km, 1), "due_km": args["since_km"] + count * args["every_km"]}
        return after, (Raised("maintenance_due", at_s, at_s, f"{device_id}:{count}", data),)


RULE = Maintenance()
