"""A subject has left a place."""

from tracker.domain.fields import Field, FieldKind
from tracker.domain.rule import InputKind, JsonState, Raised, Setting, Urgency
from tracker.domain.subject import SubjectKind
from tracker.geofence.rules._presence import Coming, Turn, event_of

LASTS_MOST_S = 1500
"""The event is of the moment of the crossing: who is told much later would take it for news of now."""


class Left(Coming):
    """Raises "left" when the last device still heard has gone out, once that has lasted `min_away_s`."""

    name = "left"
    title = "Leaves"
    fields = (
        Field(
            name="min_away_s",
            kind=FieldKind.DURATION,
            label="Is away at least",
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
    types = ("left",)

    def lasts_s(self, setting: Setting, turn: Turn) -> float | None:
        """Return how long it must be away."""
        if turn.silent or turn.came_in:
            return None
        return float(setting.rule.args["min_away_s"])

    def tell(
        self, setting: Setting, state: JsonState, turn: Turn, decided_s: float
    ) -> tuple[JsonState, tuple[Raised, ...]]:
        """Return the event."""
        return state, (event_of(turn, "left", decided_s),)


RULE = Left()
