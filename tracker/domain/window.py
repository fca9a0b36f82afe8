"""What a device that speaks value by value said last, and what of it waits to become a position."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

Value = str | float | bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """What a device of an assembling dialect said last, and which of it waits to become a position.

    `values` are all last known ones by name. `fresh` are the names that were told, or taken back, live
    since the last closing: what a broker replayed is known, not fresh. `received_at` is when the last part
    came; `due_at` when the window closes, None while nothing waits.
    """

    dialect: str
    received_at: datetime
    values: Mapping[str, Value] = field(default_factory=dict)
    fresh: frozenset[str] = frozenset()
    due_at: datetime | None = None

    def is_due(self, now: datetime) -> bool:
        """Tell whether the window should be closed; before more is folded in, too."""
        return self.due_at is not None and now >= self.due_at
