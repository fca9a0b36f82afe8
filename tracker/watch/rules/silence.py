"""Nothing has been heard of a subject for too long."""

from tracker.domain.fields import Field, FieldKind
from tracker.domain.rule import Input, InputKind, JsonState, Raised, Setting, Urgency
from tracker.domain.subject import SubjectKind


class Silence:
    """Raises "silent" when all devices of a subject that were ever heard are silent for `after_s`.

    "heard_again" ends it.
    """

    name = "silence"
    title = "Nothing heard"
    fields = (
        Field(
            name="after_s",
            kind=FieldKind.DURATION,
            label="After",
            default=3600.0,
            least=300,
            most=30 * 86_400,
            unit="s",
        ),
    )
    inputs = frozenset({InputKind.MOVED, InputKind.HEARD})
    fits: frozenset[SubjectKind] = frozenset()
    needs_fence = False
    urgency = Urgency.NORMAL
    types = ("silent", "heard_again")

    def begin(self, setting: Setting) -> JsonState:
        """Return that it is not silent."""
        return {}

    def step(
        self,
        setting: Setting,
        state: JsonState,
        given: Input,
        at_s: float,
    ) -> tuple[JsonState, tuple[Raised, ...]]:
        """Take whatever was heard."""
        since_s = state.get("since_s")
        if since_s is None:
            return state, ()
        data = {"silent_s": at_s - since_s}
        return {}, (Raised("heard_again", at_s, at_s, f"{since_s:.3f}", data, ends=True),)

    def advance(
        self, setting: Setting, state: JsonState, until_s: float
    ) -> tuple[JsonState, tuple[Raised, ...]]:
        """Let time pass."""
        due_s = self.due_s(setting, state)
        if due_s is None or until_s < due_s:
            return state, ()
        newest_s = due_s - setting.rule.args["after_s"]
        data = {"silent_s": setting.rule.args["after_s"]}
        return {"since_s": newest_s}, (Raised("silent", due_s, due_s, f"{newest_s:.3f}", data),)

    def due_s(self, setting: Setting, state: JsonState) -> float | None:
        """Return when it has been silent for long enough; None while it is, or if it was never heard."""
        if "since_s" in state or not setting.heard_s:
            return None
        return max(setting.heard_s.values()) + float(setting.rule.args["after_s"])


RULE = Silence()
