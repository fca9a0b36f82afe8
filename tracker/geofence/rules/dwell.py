"""A subject has stayed at a place for a time."""

from tracker.domain.fields import Field, FieldKind
from tracker.domain.rule import InputKind, JsonState, Raised, Setting, Urgency
from tracker.domain.subject import SubjectKind
from tracker.geofence.rules._presence import Coming, Turn, event_of


class Dwell(Coming):
    """Raises "dwelt" once a stay, when it has lasted `dwell_s`.

    A stay whose beginning was not seen counts from the first fix inside.
    """

    name = "dwell"
    title = "Stays for long"
    fields = (
        Field(
            name="dwell_s",
            kind=FieldKind.DURATION,
            label="For at least",
            default=1800.0,
            least=60,
            most=7 * 86_400,
            unit="s",
        ),
    )
    inputs = frozenset({InputKind.CROSSED})
    fits: frozenset[SubjectKind] = frozenset()
    needs_fence = True
    urgency = Urgency.NORMAL
    types = ("dwelt",)

    def lasts_s(self, setting: Setting, turn: Turn) -> float | None:
        """Return how long it must stay."""
        return float(setting.rule.args["dwell_s"]) if turn.came_in else None

    def tell(
        self, setting: Setting, state: JsonState, turn: Turn, decided_s: float
    ) -> tuple[JsonState, tuple[Raised, ...]]:
        """Return the event."""
        dwell_s = float(setting.rule.args["dwell_s"])
        # It may have come as much earlier as the crossing may have been.
        data = {"dwell_s": dwell_s, "since_at": turn.at_s, "earliest_at": turn.earliest_s + dwell_s}
        return state, (event_of(turn, "dwelt", decided_s, at_s=turn.at_s + dwell_s, **data),)


RULE = Dwell()
