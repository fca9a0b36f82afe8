"""Whom an alert is told, over what, and when; as tables. Now is a Saturday, 9:00 UTC."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.notify.moments import NOW
from tests.notify.people import ACCOUNT, ALL, alert, concern, contact, told
from tracker.domain.notification import AlertState, Contact, Mute
from tracker.domain.rule import Notify, Urgency
from tracker.notify.policy import (
    Told,
    address_of,
    escalates_at,
    is_muted,
    ladder,
    last_resort,
    lives_for,
    plan,
    ways,
)

MUM, DAD, GRAN = contact("mum", 0), contact("dad", 1), contact("gran", 2)
REACHABLE = {each.contact_id: ("email", "sms") for each in (MUM, DAD, GRAN)}


def due_in_min(
    recent: list[Told], urgency: Urgency = Urgency.NORMAL, who: Contact = MUM, throttle_s: int = 300
) -> tuple[float, str | None]:
    """Return in how many minutes one message by SMS is due, and with which group."""
    (planned,) = plan(concern(urgency), Notify(throttle_s=throttle_s), [(who, ("sms",))], recent, NOW)
    return (planned.due_at - NOW).total_seconds() / 60, planned.group


@pytest.mark.parametrize(
    ("notify", "expected"),
    [
        (Notify(), ["mum"]),
        (Notify(contact_ids=("gran", "mum")), ["gran", "mum"]),
        (Notify(contact_ids=("gran", "gran")), ["gran"]),
        (Notify(contact_ids=("nobody", "dad")), ["dad"]),
        (Notify(contact_ids=("nobody",)), ["mum"]),
    ],
)
def test_who_is_told_in_the_order_of_the_rule_else_the_first(notify: Notify, expected: list[str]) -> None:
    assert [each.contact_id for each in ladder(notify, [GRAN, DAD, MUM], REACHABLE)] == expected


@pytest.mark.parametrize("left_out", ["unconfirmed", "unreachable"])
def test_nobody_is_told_who_has_not_confirmed_or_cannot_be_reached(left_out: str) -> None:
    dad = contact("dad", 1, confirmed_at=None) if left_out == "unconfirmed" else DAD
    reachable = {**REACHABLE, "dad": ()} if left_out == "unreachable" else REACHABLE
    assert ladder(Notify(contact_ids=("dad",)), [MUM, dad], reachable) == (MUM,)
    assert last_resort([MUM, dad], [MUM], reachable) is None


def test_the_last_resort_is_the_first_who_is_not_told_anyway() -> None:
    assert last_resort([GRAN, DAD, MUM], [DAD], REACHABLE) == MUM
    assert last_resort([GRAN, DAD, MUM], [MUM], REACHABLE) == DAD


@pytest.mark.parametrize(
    ("own", "of_rule", "urgency", "at_once", "spare"),
    [
        (("sms", "email"), (), Urgency.NORMAL, ("sms",), ("email",)),
        (("email", "sms"), (), Urgency.QUIET, ("email",), ("sms",)),
        (("sms", "email"), (), Urgency.URGENT, ("sms", "email"), ()),
        (("sms", "email"), (), Urgency.ALARM, ("sms", "email"), ()),
        (("sms", "email"), ("email", "webpush"), Urgency.NORMAL, ("email", "webpush"), ("sms",)),
        (("mqtt", "email"), (), Urgency.NORMAL, ("email",), ()),
        (("sms",), ("mqtt",), Urgency.NORMAL, ("sms",), ()),
        ((), (), Urgency.NORMAL, ("webpush",), ("sms", "email")),
    ],
)
def test_which_channels_are_used_at_once_and_which_if_those_fail(
    own: tuple[str, ...],
    of_rule: tuple[str, ...],
    urgency: Urgency,
    at_once: tuple[str, ...],
    spare: tuple[str, ...],
) -> None:
    who = contact("mum", channels=own)
    assert ways(who, Notify(channels=of_rule), urgency, ALL) == (at_once, spare)


@pytest.mark.parametrize(
    ("channel", "has_push", "address"),
    [
        ("sms", False, "+79161234567"),
        ("email", False, "mum@example.org"),
        ("mqtt", False, None),
        ("webpush", False, None),
        ("webpush", True, "mum"),
        ("pigeon", True, None),
    ],
)
def test_where_a_channel_reaches_a_contact(channel: str, has_push: bool, address: str | None) -> None:
    assert address_of(MUM, channel, has_push=has_push) == address


@pytest.mark.parametrize(
    ("recent", "urgency", "minutes", "grouped"),
    [
        # nothing lately, or of somebody, something or some channel else
        ([], Urgency.NORMAL, 0, False),
        ([told(5)], Urgency.NORMAL, 0, False),
        ([told(1, to="dad")], Urgency.NORMAL, 0, False),
        ([told(1, channel="email")], Urgency.NORMAL, 0, False),
        ([told(1, rule_id="other")], Urgency.NORMAL, 0, False),
        ([told(1, type="not_arrived")], Urgency.NORMAL, 0, False),
        # told of the rule a minute ago: when the five minutes are over
        ([told(1)], Urgency.NORMAL, 4, True),
        ([told(1), told(30)], Urgency.NORMAL, 4, True),
        # one waits already: with it
        ([told(2), told(-3, held=True)], Urgency.NORMAL, 3, True),
        # urgent: of another subject at once, of the same one not
        ([told(1, subject_id="other")], Urgency.NORMAL, 4, True),
        ([told(1, subject_id="other")], Urgency.URGENT, 0, False),
        ([told(1)], Urgency.URGENT, 4, True),
        # an alarm waits for nothing
        ([told(0)], Urgency.ALARM, 0, False),
        ([told(-3, held=True)], Urgency.ALARM, 0, False),
    ],
)
def test_the_throttle_of_five_minutes(
    recent: list[Told], urgency: Urgency, minutes: float, grouped: bool
) -> None:
    assert due_in_min(recent, urgency) == (minutes, "mum/sms/r" if grouped else None)


def test_without_a_throttle_each_is_told_at_once() -> None:
    assert due_in_min([told(0)], throttle_s=0) == (0, None)


def test_what_raises_no_rule_is_never_throttled() -> None:
    (planned,) = plan(concern(rule_id=None), Notify(), [(MUM, ("sms",))], [told(0, rule_id=None)], NOW)
    assert planned.due_at == NOW


@pytest.mark.parametrize(
    ("sent", "urgency", "minutes"),
    [
        (2, Urgency.NORMAL, 0),
        (3, Urgency.NORMAL, 20),
        (3, Urgency.URGENT, 20),
        (3, Urgency.ALARM, 0),
    ],
)
def test_at_most_so_many_an_hour_and_channel_but_any_number_of_alarms(
    sent: int, urgency: Urgency, minutes: float
) -> None:
    who = contact("mum", per_hour_most=3)
    recent = [told(40 - 10 * each, rule_id=f"other{each}") for each in range(sent)]
    due, group = due_in_min(recent, urgency, who)
    assert (due, group) == (minutes, "mum/sms/hour" if minutes else None)


def test_messages_told_together_count_as_one_in_the_cap() -> None:
    who = contact("mum", per_hour_most=3)
    recent = [told(30, rule_id=f"{each}", held=True) for each in range(10)]
    assert due_in_min(recent, who=who) == (0, None)


def test_each_contact_and_channel_is_planned_by_itself() -> None:
    planned = plan(concern(), Notify(), [(MUM, ("sms", "email")), (DAD, ("sms",))], [told(1)], NOW)
    assert [(each.contact_id, each.channel, each.due_at > NOW) for each in planned] == [
        ("mum", "sms", True),
        ("mum", "email", False),
        ("dad", "sms", False),
    ]


@pytest.mark.parametrize(
    ("named", "event_type", "muted"),
    [
        ({"rule_id": "r"}, "arrived", True),
        ({"rule_id": "other"}, "arrived", False),
        ({"subject_id": "s"}, "arrived", True),
        ({"geofence_id": "g"}, "arrived", True),
        ({"rule_id": "r", "subject_id": "s"}, "arrived", True),
        ({"rule_id": "r", "subject_id": "other"}, "arrived", False),
        ({}, "arrived", False),
        ({"subject_id": "s"}, "sos", False),
        ({"rule_id": "r"}, "escaped", True),
    ],
)
def test_what_a_mute_silences(named: dict[str, str], event_type: str, muted: bool) -> None:
    names = {"rule_id": None, "subject_id": None, "geofence_id": None, **named}
    mute = Mute(
        account_id=ACCOUNT,
        mute_id="m",
        until=NOW + timedelta(hours=1),
        created_at=NOW,
        **names,
    )
    assert is_muted(concern(type=event_type), [mute], NOW) is muted
    assert not is_muted(concern(type=event_type), [mute], mute.until)


def test_alarms_live_longest() -> None:
    assert [lives_for(each) for each in Urgency] == [timedelta(hours=hours) for hours in (24, 24, 24, 72)]


def test_an_alert_escalates_when_the_next_one_is_told_and_not_when_it_ends() -> None:
    soon = NOW + timedelta(minutes=5)
    waits = replace(alert(), escalate_at=soon)
    assert escalates_at(waits) == soon
    assert escalates_at(replace(waits, escalate_at=NOW + lives_for(waits.urgency))) is None
    assert escalates_at(replace(waits, state=AlertState.ACKNOWLEDGED)) is None
    assert escalates_at(alert()) is None
