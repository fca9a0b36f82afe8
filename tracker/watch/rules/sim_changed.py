"""Another SIM card is in the device."""

from hashlib import blake2b

from tracker.domain.fields import Field
from tracker.domain.rule import Heard, Input, InputKind, JsonState, Moved, Raised, Setting, Untimed, Urgency
from tracker.domain.subject import SubjectKind


class SimChanged(Untimed):
    """Raises "sim_changed" when a device names another card than before; cards are kept as hashes only."""

    name = "sim_changed"
    title = "SIM card changed"
    fields: tuple[Field, ...] = ()
    inputs = frozenset({InputKind.MOVED, InputKind.HEARD})
    fits: frozenset[SubjectKind] = frozenset()
    needs_fence = False
    urgency = Urgency.URGENT
    types = ("sim_changed",)

    def begin(self, setting: Setting) -> JsonState:
        """Return no card of any device."""
        return {}

    def step(
        self, setting: Setting, state: JsonState, given: Input, at_s: float
    ) -> tuple[JsonState, tuple[Raised, ...]]:
        """Take a position or fact that names the card."""
        data: dict[str, float] = {}
        if isinstance(given, Moved):
            card: object = given.fix.sim
            data = {"lat": given.fix.lat, "lon": given.fix.lon}
        elif isinstance(given, Heard):
            card = given.data.get("sim")
        else:
            return state, ()
        if not isinstance(card, str) or not card:
            return state, ()
        device_id = given.device_id
        # The account's id makes equal cards of two families look different.
        seen = blake2b(card.encode(), digest_size=8, key=setting.rule.account_id.encode()).hexdigest()
        before = state.get(device_id)
        if before == seen:
            return state, ()
        after = {**state, device_id: seen}
        if before is None:
            return after, ()
        return after, (Raised("sim_changed", at_s, at_s, f"{device_id}:{at_s:.3f}", data),)


RULE = SimChanged()
