"""The next time that a schedule is in force."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from tracker.domain.schedule import Schedule, Window, windows


def next_window(schedule: Schedule, after: datetime, zone: ZoneInfo) -> Window | None:
    """Return the first window that ends after `after`, of the next 400 days."""
    return next(windows(schedule, after, after + timedelta(days=400), zone), None)
