"""A pet has got out of its home zone."""

from tracker.domain.fields import Field, FieldKind
from tracker.domain.rule import Input, InputKind, JsonState, Moved, Raised, Setting, Urgency
from tracker.domain.subject import SubjectKind
from tracker.geofence.rules._presence import Coming, Turn, event_of

BATTERY_STEP_PCT = 5
"""The battery is remembered in such steps, so that not each fix changes the state."""


class Escape(Coming):
    """Raises "escaped" when a pet leaves its zone, and "caught" when it is in it again, which ends the chase.

    `data` of "escaped" holds what a chase needs: how often to report, for how long, down to which battery.
    """

    name = "escape"
    title = "Escapes"
    fields = (
        Field(
            name="report_every_s",
            kind=FieldKind.DURATION,
            label="Report every",
            default=15.0,
            least=5,
            most=600,
            unit="s",
        ),
        Field(
            name="most_min",
            kind=FieldKind.NUMBER,
            label="Chase for at most",
            default=120.0,
            least=5,
            most=1440,
            unit="min",
        ),
        Field(
            name="battery_least_pct",
            kind=FieldKind.NUMBER,
            label="Stop the chase below",
            default=15.0,
            least=0,
            most=90,
            unit="%",
        ),
    )
    inputs = frozenset({InputKind.CROSSED, InputKind.MOVED})
    fits = frozenset({SubjectKind.PET})
    needs_fence = True
    urgency = Urgency.ALARM
    types = ("escaped", "caught")

    def begin(self, setting: Setting) -> JsonState:
        """Return that nothing is known; the memo is the escape that goes on: [slot, moment]."""
        return {**super().begin(setting), "battery_pct": {}}

    def step(
        self, setting: Setting, state: JsonState, given: Input, at_s: float
    ) -> tuple[JsonState, tuple[Raised, ...]]:
        """Take a crossing, or the battery of a position."""
        if not isinstance(given, Moved):
            return super().step(setting, state, given, at_s)
        battery_pct = given.fix.battery_pct
        if battery_pct is None or not 0 <= battery_pct <= 100:
            return state, ()
        stepped = BATTERY_STEP_PCT * round(battery_pct / BATTERY_STEP_PCT)
        if state["battery_pct"].get(given.device_id) == stepped:
            return state, ()
        return {**state, "battery_pct": {**state["battery_pct"], given.device_id: stepped}}, ()

    def lasts_s(self, setting: Setting, turn: Turn) -> float | None:
        """Return 0 for what was seen to happen."""
        return None if turn.silent else 0.0

    def tell(
        self, setting: Setting, state: JsonState, turn: Turn, decided_s: float
    ) -> tuple[JsonState, tuple[Raised, ...]]:
        """Return the escape, or the end of the one that went on."""
        memo = state["memo"]
        if not turn.came_in:
            args = setting.rule.args
            data = {name: args[name] for name in ("report_every_s", "most_min", "battery_least_pct")}
            data["battery_pct"] = state["battery_pct"].get(turn.device_id)
            raised = event_of(turn, "escaped", decided_s, **data)
            return {**state, "memo": [raised.slot, raised.at_s]}, (raised,)
        if memo is None:
            return state, ()
        caught = event_of(turn, "caught", decided_s, away_s=turn.at_s - memo[1])
        return {**state, "memo": None}, (caught._replace(slot=memo[0], ends=True),)


RULE = Escape()
