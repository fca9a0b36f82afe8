"""A subject moves too fast, wherever it is."""

from tracker.domain.fields import Field, FieldKind
from tracker.domain.geo import LatLon, distance_m
from tracker.domain.rule import Input, InputKind, JsonState, Moved, Raised, Setting, Untimed, Urgency
from tracker.domain.subject import SubjectKind

BREAK_S = 120.0
"""Two fixes farther apart say nothing of the time between, unless the way between them took that speed."""


class Speed(Untimed):
    """Raises "speeding" once while the speed that a device tells is above the limit for `for_s`.

    A speed made of two places would be the receiver's errors more often than a speed. Only of fixes minutes
    apart that are both too fast does it count: whether the device was so all the way.
    """

    name = "speed"
    title = "Too fast"
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
    inputs = frozenset({InputKind.MOVED})
    fits: frozenset[SubjectKind] = frozenset()
    needs_fence = False
    urgency = Urgency.NORMAL
    types = ("speeding",)

    def begin(self, setting: Setting) -> JsonState:
        """Return no device as too fast."""
        return {}

    def step(
        self, setting: Setting, state: JsonState, given: Input, at_s: float
    ) -> tuple[JsonState, tuple[Raised, ...]]:
        """Take a position."""
        if not isinstance(given, Moved) or given.fix.speed_mps is None:
            return state, ()
        args, device_id, speed_mps = setting.rule.args, given.device_id, given.fix.speed_mps
        run = state.get(device_id)
        if speed_mps <= args["limit_mps"] * args["tolerance"]:
            return {key: each for key, each in state.items() if key != device_id}, ()
        if run is None or not _goes_on(run["last_s"], given, at_s, args["limit_mps"] * args["tolerance"]):
            run = {"since_s": at_s, "last_s": at_s, "most_mps": speed_mps, "raised": False}
        run = {**run, "last_s": at_s, "most_mps": max(run["most_mps"], speed_mps)}
        raised: tuple[Raised, ...] = ()
        if not run["raised"] and at_s - run["since_s"] >= args["for_s"]:
            run["raised"] = True
            data = {
                "speed_mps": run["most_mps"],
                "limit_mps": args["limit_mps"],
                "lat": given.fix.lat,
                "lon": given.fix.lon,
            }
            slot = f"{device_id}:{run['since_s']:.3f}"
            raised = (Raised("speeding", run["since_s"], at_s, slot, data),)
        return {**state, device_id: run}, raised


def _goes_on(last_s: float, given: Moved, at_s: float, most_mps: float) -> bool:
    if at_s - last_s <= BREAK_S:
        return True
    before, fix = given.before, given.fix
    if before is None or before.at_s - last_s > BREAK_S:
        return False
    way_m = distance_m(LatLon(lat=before.lat, lon=before.lon), LatLon(lat=fix.lat, lon=fix.lon))
    error_m = (before.accuracy_m or 0.0) + (fix.accuracy_m or 0.0)
    return way_m - error_m > most_mps * (fix.at_s - before.at_s)


RULE = Speed()
