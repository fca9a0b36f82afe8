"""The edge of a place was crossed, or the place passed through between two reports."""

from tracker.domain.fields import Field, FieldKind
from tracker.domain.rule import Input, InputKind, JsonState, Passed, Raised, Setting, Urgency
from tracker.domain.subject import SubjectKind
from tracker.geofence.rules._presence import Coming, Turn, event_of

SAME_PASSAGE_S = 600.0
"""Two devices of one subject that pass within this time passed together."""


class CrossedEdge(Coming):
    """Raises "crossed" for each going in or out, as `direction` says; passing through is both.

    `data` tells the direction: "in", "out" or "through".
    """

    name = "crossed"
    title = "Crosses the edge"
    fields = (
        Field(
            name="direction",
            kind=FieldKind.CHOICE,
            label="Direction",
            default="any",
            choices=("any", "in", "out"),
        ),
    )
    inputs = frozenset({InputKind.CROSSED, InputKind.PASSED})
    fits: frozenset[SubjectKind] = frozenset()
    needs_fence = True
    urgency = Urgency.NORMAL
    types = ("crossed",)

    def step(
        self, setting: Setting, state: JsonState, given: Input, at_s: float
    ) -> tuple[JsonState, tuple[Raised, ...]]:
        """Take a crossing or a passage."""
        if isinstance(given, Passed) and given.geofence_id == setting.rule.geofence_id:
            return _passed(state, given, at_s)
        return super().step(setting, state, given, at_s)

    def lasts_s(self, setting: Setting, turn: Turn) -> float | None:
        """Return 0 for the direction asked for."""
        asked = setting.rule.args["direction"] in ("any", turn.into)
        return 0.0 if asked and not turn.silent else None

    def tell(
        self, setting: Setting, state: JsonState, turn: Turn, decided_s: float
    ) -> tuple[JsonState, tuple[Raised, ...]]:
        """Return the event."""
        return state, (event_of(turn, "crossed", decided_s, direction=turn.into),)


def _passed(state: JsonState, given: Passed, at_s: float) -> tuple[JsonState, tuple[Raised, ...]]:
    """The memo is whose passage was told last, and when it was: the subject's other device passes with it."""
    last = state["memo"]
    if last is not None and last[0] != given.device_id and given.at_s - last[1] <= SAME_PASSAGE_S:
        return state, ()
    data = {
        "device_id": given.device_id,
        "direction": "through",
        "inside_m": given.inside_m,
        "earliest_at": given.at_s,
    }
    slot = f"{given.device_id}:{given.geofence_id}:through:{round(given.at_s * 1e6)}"
    why = ({"at_s": given.at_s, "until_s": given.until_s, "inside_m": given.inside_m},)
    raised = Raised("crossed", given.at_s, at_s, slot, data, why)
    return {**state, "memo": [given.device_id, given.at_s]}, (raised,)


RULE = CrossedEdge()
