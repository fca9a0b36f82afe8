"""Several events in one message."""

from typing import Any

import pytest

from tests.notify.moments import NOW
from tests.notify.people import ACCOUNT
from tracker.domain.notification import Notification
from tracker.notify.compose import compose, together


def event(number: int, **given: Any) -> Notification:
    args = {"type": "pigeon", "subject": f"s{number}", "at": NOW.isoformat(), "link": f"l{number}", "step": 0}
    return Notification(
        channel="sms",
        kind="event",
        to=f"+7{number}",
        locale="en",
        expires_at=NOW,
        args={**args, **given},
        account_id=ACCOUNT,
    )


def test_a_single_one_is_as_it_was() -> None:
    assert together([event(1)]) == event(1)


def test_each_has_its_line() -> None:
    text = compose(together([event(1), event(2), event(3)]))
    assert text.body == "s1: event at 9:00\ns2: event at 9:00\ns3: event at 9:00"
    assert text.subject == "3 events"


@pytest.mark.parametrize(
    ("many", "lines", "last"), [(5, 5, "s5: event at 9:00"), (6, 6, "1 more"), (40, 6, "35 more")]
)
def test_of_many_only_the_number_is_told(many: int, lines: int, last: str) -> None:
    body = compose(together([event(each) for each in range(1, many + 1)])).body.splitlines()
    assert (len(body), body[-1]) == (lines, last)


def test_they_are_told_in_the_order_in_which_they_happened() -> None:
    first, then = NOW.replace(minute=5).isoformat(), NOW.replace(minute=40).isoformat()
    told = together([event(1, at=then), event(2, at=first)])
    assert compose(told).body == "s2: event at 9:05\ns1: event at 9:40"
    assert (told.to, compose(told).link) == ("+72", "l1")


def test_address_and_link_are_those_of_the_newest() -> None:
    told = together([event(1), event(2)])
    assert (told.to, compose(told).link) == ("+72", "l2")


def test_who_can_sign_in_gets_the_list() -> None:
    assert compose(together([event(1), event(2, list_link="all")])).link == "all"
