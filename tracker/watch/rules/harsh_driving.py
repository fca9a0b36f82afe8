"""A vehicle is braked or accelerated hard."""

from tracker.domain.fields import Field, FieldKind
from tracker.domain.rule import Input, InputKind, JsonState, Moved, Raised, Setting, Untimed, Urgency
from tracker.domain.subject import SubjectKind

REST_S = 30.0
"""One manoeuvre is one event."""
LEAST_STEP_S, MOST_STEP_S = 1.0, 10.0
"""Speeds nearer or farther apart in time tell no acceleration."""
LEAST_MPS = 5.5
"""Below 20 km/h nothing is harsh: receivers' speeds jump there."""


class HarshDriving(Untimed):
    """Raises "harsh_braking" and "harsh_acceleration": what the device measured, else two speeds of its own.

    The default is what Life360 names hard, 8 miles an hour in a second.
    """

    name = "harsh_driving"
    title = "Harsh driving"
    fields = (
        Field(
            name="brake_mps2",
            kind=FieldKind.NUMBER,
            label="Braking",
            default=3.5,
            least=1,
            most=20,
            unit="m/s²",
        ),
        Field(
            name="accelerate_mps2",
            kind=FieldKind.NUMBER,
            label="Acceleration",
            default=3.5,
            least=1,
            most=20,
            unit="m/s²",
        ),
    )
    inputs = frozenset({InputKind.MOVED})
    fits = frozenset({SubjectKind.VEHICLE, SubjectKind.CHILD, SubjectKind.RELATIVE, SubjectKind.PHONE})
    needs_fence = False
    urgency = Urgency.QUIET
    types = ("harsh_braking", "harsh_acceleration")

    def begin(self, setting: Setting) -> JsonState:
        """Return no manoeuvre of any device."""
        return {}

    def step(
        self, setting: Setting, state: JsonState, given: Input, at_s: float
    ) -> tuple[JsonState, tuple[Raised, ...]]:
        """Take a position."""
        if not isinstance(given, Moved):
            return state, ()
        accel_mps2 = _acceleration(given)
        if accel_mps2 is None:
            return state, ()
        args = setting.rule.args
        if accel_mps2 <= -args["brake_mps2"]:
            event = "harsh_braking"
        elif accel_mps2 >= args["accelerate_mps2"]:
            event = "harsh_acceleration"
        else:
            return state, ()
        device_id = given.device_id
        key = f"{device_id}:{event}"
        last_s = state.get(key)
        after = {**state, key: at_s}
        if last_s is not None and at_s - last_s <= REST_S:
            return after, ()
        data = {"accel_mps2": round(accel_mps2, 2), "lat": given.fix.lat, "lon": given.fix.lon}
        return after, (Raised(event, at_s, at_s, f"{device_id}:{at_s:.3f}", data),)


def _acceleration(given: Moved) -> float | None:
    fix, before = given.fix, given.before
    if fix.accel_mps2 is not None:
        return fix.accel_mps2
    if before is None or fix.speed_mps is None or before.speed_mps is None:
        return None
    step_s = fix.at_s - before.at_s
    if not LEAST_STEP_S <= step_s <= MOST_STEP_S or max(fix.speed_mps, before.speed_mps) < LEAST_MPS:
        return None
    return (fix.speed_mps - before.speed_mps) / step_s


RULE = HarshDriving()
