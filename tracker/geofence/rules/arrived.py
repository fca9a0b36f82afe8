"""A subject has come to a place."""

from tracker.domain.fields import Field, FieldKind
from tracker.domain.rule import InputKind, JsonState, Raised, Setting, Urgency
from tracker.domain.subject import SubjectKind
from tracker.geofence.rules._presence import Coming, Turn, event_of

LASTS_MOST_S = 1500
"""The event is of the moment of the crossing: who is told much later would take it for news of now."""


class Arrived(Coming):
    """Raises "arrived" when the first device of a subject has come in and it has stayed for `min_stay_s`."""

    name = "arrived"
    title = "Arrives"
    fields = (
        Field(
            name="min_stay_s",
            kind=FieldKind.DURATION,
            label="Stays at least",
            default=0.0,
            least=0,
            most=LASTS_MOST_S,
            unit="s",
        ),
    )
    inputs = frozenset({InputKind.CROSSED})
    fits: frozenset[SubjectKind] = frozenset()
    needs_fence = True
    urgency = Urgency.NORMAL
    types = ("arrived",)

    def lasts_s(self, setting: Setting, turn: Turn) -> float | None:
        """Return how long it must stay."""
        if turn.silent or not turn.came_in:
            return None
        return float(setting.rule.args["min_stay_s"])

    def tell(
        self, setting: Setting, state: JsonState, turn: Turn, decided_s: float
    ) -> tuple[JsonState, tuple[Raised, ...]]:
        """Return the event."""
        return state, (event_of(turn, "arrived", decided_s),)


RULE = Arrived()
