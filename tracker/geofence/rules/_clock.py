"""Times of day of a rule, and the days on which its schedule and its fence's leave it in force."""

from datetime import UTC, date, datetime, time, timedelta

from tracker.domain.rule import Setting
from tracker.domain.schedule import covers, moment_of

_INSTANT = timedelta(microseconds=1)
_DAY = timedelta(days=1)


def local_day(setting: Setting, at_s: float) -> date:
    """Return the date at a moment, where the rule is."""
    return datetime.fromtimestamp(at_s, setting.zone).date()


def moment_s(setting: Setting, day: date, clock: str) -> float:
    """Return the moment, epoch seconds, of a local "HH:MM" on a day."""
    return moment_of(day, time.fromisoformat(clock), setting.zone).timestamp()


def is_in_force(setting: Setting, at_s: float) -> bool:
    """Tell whether neither the rule nor its fence sleeps at a moment; the very end of a window is awake."""
    moment = datetime.fromtimestamp(at_s, UTC)
    schedules = [setting.rule.schedule, setting.fence.schedule if setting.fence else None]
    return all(
        covers(schedule, moment, setting.zone) or covers(schedule, moment - _INSTANT, setting.zone)
        for schedule in schedules
        if schedule is not None
    )


def next_s(setting: Setting, clock: str, after_s: float, days: int) -> float | None:
    """Return the first moment after `after_s` that is `clock` and in force, within `days` days; or None."""
    day = local_day(setting, after_s)
    for _ in range(days + 1):
        at_s = moment_s(setting, day, clock)
        if at_s > after_s and is_in_force(setting, at_s):
            return at_s
        day += _DAY
    return None
