"""A clock that stands still until told to go on."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta


@dataclass
class StandingClock:
    """Called, it tells the moment it shows; begins on a Saturday morning, UTC."""

    now: datetime = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def go_on(self, **amount: float) -> datetime:
        """Move on by the members of a `timedelta`, such as `minutes=10`, and return the new moment."""
        self.now += timedelta(**amount)
        return self.now
