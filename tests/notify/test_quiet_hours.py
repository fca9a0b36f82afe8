"""Quiet hours: from 22 to 7, in the contact's own zone; 21 November is a Saturday."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.notify.people import NIGHT, concern, contact, told
from tracker.domain.rule import Notify, Urgency
from tracker.domain.schedule import Schedule
from tracker.notify.policy import QUIET_AT_MOST, Told, plan, quiet_until

SLEEPER = contact("mum", quiet=NIGHT)


def utc(hour: int, minute: int = 0, day: int = 21) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC)


def due(
    now: datetime, urgency: Urgency = Urgency.NORMAL, recent: tuple[Told, ...] = (), **given: Any
) -> tuple[datetime, str | None]:
    who = contact("mum", **{"quiet": NIGHT, **given})
    (planned,) = plan(concern(urgency), Notify(), [(who, ("sms",))], recent, now)
    return planned.due_at, planned.group


@pytest.mark.parametrize(
    ("now", "told_at"),
    [
        (utc(21, 59), utc(21, 59)),
        (utc(22), utc(7, day=22)),
        (utc(23, 30), utc(7, day=22)),
        (utc(6, 59), utc(7)),
        (utc(7), utc(7)),
        (utc(12), utc(12)),
    ],
)
def test_what_is_not_urgent_waits_for_the_morning(now: datetime, told_at: datetime) -> None:
    assert due(now) == (told_at, "mum/sms/quiet" if told_at > now else None)


@pytest.mark.parametrize(
    ("breaks_at", "urgency", "waits"),
    [
        (Urgency.URGENT, Urgency.QUIET, True),
        (Urgency.URGENT, Urgency.NORMAL, True),
        (Urgency.URGENT, Urgency.URGENT, False),
        (Urgency.URGENT, Urgency.ALARM, False),
        (Urgency.ALARM, Urgency.URGENT, True),
        (Urgency.ALARM, Urgency.ALARM, False),
        (Urgency.NORMAL, Urgency.NORMAL, False),
        (Urgency.NORMAL, Urgency.QUIET, True),
    ],
)
def test_what_presses_enough_is_told_at_night(breaks_at: Urgency, urgency: Urgency, waits: bool) -> None:
    due_at, _ = due(utc(2), urgency, quiet_breaks_at=breaks_at)
    assert due_at == (utc(7) if waits else utc(2))


def test_the_hours_are_those_of_the_contact_s_clock() -> None:
    assert due(utc(20), time_zone="Europe/Moscow")[0] == utc(4, day=22)
    assert due(utc(5), time_zone="Europe/Moscow")[0] == utc(5)


def test_a_zone_of_the_schedule_s_own_goes_before() -> None:
    quiet = Schedule(weekly=NIGHT.weekly, time_zone="Asia/Novosibirsk")
    assert due(utc(16), quiet=quiet, time_zone="Europe/Moscow")[0] == utc(0, day=22)


def test_the_night_on_which_the_clock_goes_back_is_an_hour_longer() -> None:
    night = datetime(2026, 10, 24, 22, 0, tzinfo=UTC)
    ends_at = quiet_until(NIGHT, night, "Europe/Berlin")
    assert ends_at == datetime(2026, 10, 25, 6, 0, tzinfo=UTC)


def test_what_the_throttle_puts_into_the_night_waits_for_the_morning() -> None:
    last = told(0)._replace(due_at=utc(21, 57))
    assert due(utc(21, 58), recent=(last,)) == (utc(7, day=22), "mum/sms/quiet")


def test_what_waits_for_the_morning_holds_up_nothing_urgent() -> None:
    waiting = told(0)._replace(due_at=utc(7), held=True)
    due_at, _ = due(utc(2), Urgency.URGENT, recent=(waiting,))
    assert due_at <= utc(2) + timedelta(minutes=5)


def test_who_is_always_quiet_hears_once_a_day() -> None:
    due_at, group = due(utc(12), quiet=Schedule(holidays=(datetime(2000, 1, 1, tzinfo=UTC).date(),)))
    assert (due_at, group) == (utc(12) + QUIET_AT_MOST, "mum/sms/quiet")
