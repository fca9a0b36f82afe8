"""A subject has left a place before a time of day."""

from tracker.domain.fields import Field, FieldKind
from tracker.domain.rule import InputKind, JsonState, Raised, Setting, Urgency
from tracker.domain.subject import SubjectKind
from tracker.geofence.rules._clock import is_in_force, local_day, moment_s
from tracker.geofence.rules._presence import Coming, Turn, event_of


class LeftEarly(Coming):
    """Raises "left_early" for a going out before `until`, local, on a day when the rule is in force.

    After a gap only when all of it was before that time.
    """

    name = "left_early"
    title = "Leaves too early"
    fields = (Field(name="until", kind=FieldKind.TIME, label="Before"),)
    inputs = frozenset({InputKind.CROSSED})
    fits: frozenset[SubjectKind] = frozenset()
    needs_fence = True
    urgency = Urgency.URGENT
    types = ("left_early",)

    def lasts_s(self, setting: Setting, turn: Turn) -> float | None:
        """Return 0 for a going out before its time."""
        if turn.silent or turn.came_in or not is_in_force(setting, turn.at_s):
            return None
        return 0.0 if turn.at_s < _until_s(setting, turn) else None

    def tell(
        self, setting: Setting, state: JsonState, turn: Turn, decided_s: float
    ) -> tuple[JsonState, tuple[Raised, ...]]:
        """Return the event."""
        until_s = _until_s(setting, turn)
        data = {"until": setting.rule.args["until"], "early_s": until_s - turn.at_s}
        return state, (event_of(turn, "left_early", decided_s, **data),)


def _until_s(setting: Setting, turn: Turn) -> float:
    return moment_s(setting, local_day(setting, turn.at_s), setting.rule.args["until"])


RULE = LeftEarly()
