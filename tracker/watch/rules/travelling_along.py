"""A tracker of somebody else travels along."""

from hashlib import blake2b
from typing import Any

from tracker.domain.fields import Field, FieldKind
from tracker.domain.geo import LatLon, distance_m
from tracker.domain.rule import Heard, Input, InputKind, JsonState, Moved, Raised, Setting, Untimed, Urgency
from tracker.domain.subject import SubjectKind

LOST_S = 900.0
"""A tracker that was not seen for so long is not along any more."""
KNOWN_MOST = 32
"""In a crowd a phone sees hundreds; those seen longest are the ones that matter."""


class TravellingAlong(Untimed):
    """Raises "travelling_along" once for each stranger's tracker seen for `for_s` over `way_m` of the way.

    Handsets tell which they see by facts of kind "seen" with `tracker`, its name; it is kept as a hash. The
    time is what the DULT draft (IETF) gives before a separated tracker must be told of.
    """

    name = "travelling_along"
    title = "Unknown tracker along"
    fields = (
        Field(
            name="for_s",
            kind=FieldKind.DURATION,
            label="For at least",
            default=1800.0,
            least=300,
            most=86_400,
            unit="s",
        ),
        Field(
            name="way_m",
            kind=FieldKind.NUMBER,
            label="Over a way of",
            default=800.0,
            least=100,
            most=50_000,
            unit="m",
        ),
    )
    inputs = frozenset({InputKind.MOVED, InputKind.HEARD})
    fits = frozenset({SubjectKind.CHILD, SubjectKind.RELATIVE, SubjectKind.PHONE})
    needs_fence = False
    urgency = Urgency.URGENT
    types = ("travelling_along",)

    def begin(self, setting: Setting) -> JsonState:
        """Return no tracker, nowhere yet."""
        return {"at": None, "seen": {}}

    def step(
        self, setting: Setting, state: JsonState, given: Input, at_s: float
    ) -> tuple[JsonState, tuple[Raised, ...]]:
        """Take a position, or what the handset sees around it."""
        if isinstance(given, Moved):
            return {**state, "at": [given.fix.lat, given.fix.lon]}, ()
        if not isinstance(given, Heard) or given.kind != "seen" or state["at"] is None:
            return state, ()
        named = given.data.get("tracker")
        if not isinstance(named, str) or not named:
            return state, ()
        key = blake2b(named.encode(), digest_size=8, key=setting.rule.account_id.encode()).hexdigest()
        seen = {each: one for each, one in state["seen"].items() if at_s - one["last_s"] <= LOST_S}
        one = _on(seen.get(key), state["at"], at_s)
        raised: tuple[Raised, ...] = ()
        args = setting.rule.args
        if not one["told"] and at_s - one["first_s"] >= args["for_s"] and one["way_m"] >= args["way_m"]:
            one["told"] = True
            data = {
                "seen_s": at_s - one["first_s"],
                "way_m": round(one["way_m"]),
                "lat": state["at"][0],
                "lon": state["at"][1],
            }
            raised = (Raised("travelling_along", one["first_s"], at_s, f"{key}:{one['first_s']:.3f}", data),)
        seen[key] = one
        while len(seen) > KNOWN_MOST:
            del seen[max(seen, key=lambda each: (seen[each]["first_s"], each))]
        return {**state, "seen": seen}, raised


def _on(one: Any, at: list[float], at_s: float) -> dict[str, Any]:
    if one is None:
        return {"first_s": at_s, "last_s": at_s, "lat": at[0], "lon": at[1], "way_m": 0.0, "told": False}
    step_m = distance_m(LatLon(lat=one["lat"], lon=one["lon"]), LatLon(lat=at[0], lon=at[1]))
    return {**one, "last_s": at_s, "lat": at[0], "lon": at[1], "way_m": one["way_m"] + step_m}


RULE = TravellingAlong()
