"""What is next for an alert that was told, as a table."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from tests.notify.moments import NOW
from tests.notify.people import alert, line
from tracker.domain.notification import AlertState, Delivery
from tracker.notify.escalation import Ladder, Move, Step, next_step

AFTER = timedelta(minutes=5)
DAY = timedelta(hours=24)


def ladder_of(*contact_ids: str, **given: Any) -> Ladder:
    whole: dict[str, Any] = {
        "channels": dict.fromkeys(("mum", "dad", "gran", "owner"), (("sms",), ("email",))),
        "resort": "owner",
        "all_at_once": False,
        "after": AFTER,
        "lives_for": DAY,
        **given,
    }
    return Ladder(contact_ids=contact_ids, **whole)


BOTH = ladder_of("mum", "dad")


def step(
    lines: Sequence[Delivery], minutes: float, at_step: int = 0, ladder: Ladder = BOTH, state: str = "open"
) -> Step:
    return next_step(alert(AlertState(state), at_step), ladder, lines, NOW + timedelta(minutes=minutes))


def told_now(given: Step) -> list[str]:
    return [f"{contact_id}/{channel}" for contact_id, channels in given.tell for channel in channels]


@pytest.mark.parametrize(
    ("lines", "minutes", "at_step", "expected"),
    [
        # nobody yet
        ([], 0, 0, ["mum/sms"]),
        # the first has five minutes to answer
        ([line("mum")], 4.9, 0, []),
        ([line("mum")], 5, 0, ["dad/sms"]),
        ([line("mum", "delivered")], 5, 0, ["dad/sms"]),
        ([line("mum", "waiting")], 5, 0, ["dad/sms"]),
        # quiet hours of the first hold up nobody else
        ([line("mum", "waiting", held_min=600)], 4.9, 0, []),
        ([line("mum", "waiting", held_min=600)], 5, 0, ["dad/sms"]),
        # refused: the other channel of the same one, then the next one, at once
        ([line("mum", "refused")], 0.1, 0, ["mum/email"]),
        ([line("mum", "refused"), line("mum", "waiting", "email")], 1, 0, []),
        ([line("mum", "refused"), line("mum", "expired", "email")], 1, 0, ["dad/sms"]),
        # the second has his five minutes too, and then nobody is left
        ([line("mum"), line("dad", step=1, minutes=5)], 9, 1, []),
        ([line("mum"), line("dad", step=1, minutes=5)], 60, 1, []),
        # all failed: the last resort
        (
            [
                line("mum", "refused"),
                line("mum", "refused", "email"),
                line("dad", "refused", step=1),
                line("dad", "refused", "email", step=1),
            ],
            1,
            1,
            ["owner/sms"],
        ),
        # told within another message is told, withdrawn is no failure
        ([line("mum", "grouped")], 1, 0, []),
        ([line("mum", "cancelled")], 1, 0, []),
    ],
)
def test_one_after_another(lines: list[Delivery], minutes: float, at_step: int, expected: list[str]) -> None:
    assert told_now(step(lines, minutes, at_step)) == expected


@pytest.mark.parametrize("state", ["acknowledged", "resolved", "expired"])
def test_what_is_no_longer_open_stops(state: str) -> None:
    assert step([line("mum", "refused")], 10, state=state) == Step(Move.STOP, (), 0, None)


def test_an_alert_that_outlived_its_time_expires() -> None:
    assert step([line("mum")], 24 * 60).move is Move.EXPIRE
    assert step([], 24 * 60).move is Move.EXPIRE


def test_each_telling_by_time_or_for_want_of_others_is_a_step_further() -> None:
    assert step([], 0).number == 0
    assert step([line("mum")], 5).number == 1
    assert step([line("mum", "refused")], 1).number == 0
    assert step([line("mum"), line("dad", step=1)], 9, 1, ladder_of("mum", "dad", "gran")).number == 2


def test_all_at_once_leaves_nobody_for_later() -> None:
    ladder = ladder_of("mum", "dad", all_at_once=True)
    assert told_now(step([], 0, ladder=ladder)) == ["mum/sms", "dad/sms"]
    assert told_now(step([line("mum"), line("dad")], 60, ladder=ladder)) == []


def test_without_a_time_only_a_failure_goes_on_to_the_next() -> None:
    ladder = ladder_of("mum", "dad", after=None)
    assert told_now(step([line("mum")], 600, ladder=ladder)) == []
    both = [line("mum", "refused"), line("mum", "refused", "email")]
    assert told_now(step(both, 1, ladder=ladder)) == ["dad/sms"]


@pytest.mark.parametrize(
    ("lines", "minutes", "again_in_min"),
    [
        ([], 0, 5),
        ([line("mum")], 1, 5),
        ([line("mum", "waiting", held_min=600)], 2, 5),
        ([line("mum"), line("dad", step=1, minutes=5)], 7, 24 * 60),
    ],
)
def test_it_says_when_to_look_again(lines: list[Delivery], minutes: float, again_in_min: float) -> None:
    again_at = step(lines, minutes, at_step=max((each.step for each in lines), default=0)).again_at
    assert again_at == NOW + timedelta(minutes=again_in_min)


def test_with_nobody_to_tell_it_waits_for_its_end() -> None:
    assert step([], 0, ladder=ladder_of(resort=None)) == Step(Move.WAIT, (), 0, NOW + DAY)
