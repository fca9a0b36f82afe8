"""Caps on messages and entries."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.accounts.door import ELSEWHERE, HERE, OWNER, Door
from tests.kit.clock import StandingClock
from tracker.accounts.limits import Limits, network_of
from tracker.accounts.policy import SignInPolicy
from tracker.domain.errors import TooMany
from tracker.store.seal import Sealer
from tracker.store.session import Session


@pytest.mark.parametrize(
    ("address", "name", "is_loopback"),
    [
        ("198.51.100.7", "198.51.100.0/24", False),
        ("198.51.100.250", "198.51.100.0/24", False),
        ("::ffff:198.51.100.7", "198.51.100.0/24", False),
        ("2001:db8:1:2ff::1", "2001:db8:1:200::/56", False),
        ("fe80::1%eth0", "fe80::/56", False),
        ("127.0.0.1", "127.0.0.0/24", True),
        ("::1", "::/56", True),
        ("", "unknown", False),
        ("unix:", "unknown", False),
    ],
)
def test_neighbours_share_a_network(address: str, name: str, is_loopback: bool) -> None:
    network = network_of(address)
    assert (network.name, network.is_loopback) == (name, is_loopback)


def numbers(amount: int) -> list[str]:
    # Spread over blocks of numbers, so that only the cap under test can be met.
    return [f"+7916{index:03d}{index:04d}" for index in range(amount)]


@pytest.fixture
def may_send(
    session: Session, sealer: Sealer, policy: SignInPolicy, clock: StandingClock
) -> Callable[..., bool]:
    limits = Limits(sealer, policy)

    def ask(phone: str = OWNER, address: str = HERE, **given: bool) -> bool:
        flags = {"known_device": False, "eligible": True, "spent": False} | given
        return limits.may_send(session, phone=phone, address=address, now=clock(), **flags)

    return ask


def test_a11_one_number_gets_one_message_a_minute_five_an_hour_and_ten_a_day(
    may_send: Callable[..., bool], clock: StandingClock
) -> None:
    sent_at = []
    for _ in range(24 * 6):
        for _ in range(2):
            if may_send(address=f"203.0.{clock().minute}.1"):
                sent_at.append(clock())
        clock.go_on(minutes=10)
    assert len(sent_at) == len(set(sent_at)), "two within a minute"
    by_hour = Counter((each.day, each.hour) for each in sent_at)
    assert max(by_hour.values()) == 5
    # The day of the caps begins at midnight UTC, so 24 hours from 9 o'clock touch two of them.
    assert Counter(each.day for each in sent_at) == {21: 10, 22: 10}


def test_a11_one_network_gets_twenty_an_hour_and_silence_after_that(may_send: Callable[..., bool]) -> None:
    assert [may_send(number) for number in numbers(25)] == [True] * 20 + [False] * 5
    assert may_send(numbers(26)[-1], address=ELSEWHERE)


def test_a11_one_block_of_numbers_gets_a_hundred_an_hour(may_send: Callable[..., bool]) -> None:
    sent = [may_send(f"+7916123{index:04d}", address=f"203.0.{index}.1") for index in range(110)]
    assert sent == [True] * 100 + [False] * 10


def test_a11_the_breaker_holds_for_all_together(
    session: Session, sealer: Sealer, clock: StandingClock
) -> None:
    limits = Limits(sealer, SignInPolicy(sender="3339", sms_per_hour=7))
    sent = [
        limits.may_send(
            session,
            phone=number,
            address=f"203.0.{index}.1",
            known_device=False,
            spent=False,
            eligible=True,
            now=clock(),
        )
        for index, number in enumerate(numbers(10))
    ]
    assert sent == [True] * 7 + [False] * 3


def test_a11_the_excess_gets_no_message_and_the_same_answer(door: Door) -> None:
    answers = [door.ask() for _ in range(3)]
    assert len(door.messages()) == 1
    assert len({each.login_id for each in answers}) == 3
    assert len({replace(each, login_id="") for each in answers}) == 1


def test_what_is_not_sent_spends_nobodys_budget(may_send: Callable[..., bool]) -> None:
    assert not any(may_send(f"+35840123{index:04d}", eligible=False) for index in range(30))
    assert all(may_send(number) for number in numbers(20))


def test_a08_a_stranger_cannot_use_up_the_codes_of_a_number(
    may_send: Callable[..., bool], clock: StandingClock
) -> None:
    sent = []
    for _ in range(20):
        sent.append(may_send(address=ELSEWHERE))
        clock.go_on(seconds=61)
    assert sent.count(True) == 3
    assert may_send(address=HERE)


def test_a08_a_browser_that_signed_in_before_has_a_budget_of_its_own(
    door: Door, may_send: Callable[..., bool]
) -> None:
    device_token = door.sign_in().device_token
    for network in range(10):
        door.clock.go_on(seconds=60)
        may_send(address=f"203.0.{network}.1")
    door.clock.go_on(seconds=60)
    door.ask(address=HERE)
    assert door.messages() == []
    door.ask(address=HERE, device_token=device_token)
    assert len(door.messages()) == 1


def test_a_device_token_of_another_number_or_of_nobody_is_worth_nothing(door: Door) -> None:
    others = door.sign_in("+79169999999").device_token
    for device_token in (others, "", "x.y", f"{others}0", others.replace(".", "")):
        door.ask(address=HERE, device_token=device_token)
    assert len(door.messages()) == 1


def test_a_network_that_asks_without_end_is_told_to_wait(
    session: Session, sealer: Sealer, clock: StandingClock
) -> None:
    limits = Limits(sealer, SignInPolicy(sender="3339", requests_per_address_hour=5))
    for _ in range(5):
        limits.guard_requests(session, HERE, clock())
    with pytest.raises(TooMany) as refused:
        limits.guard_requests(session, HERE, clock())
    assert 0 < refused.value.retry_after_s <= 3600
    limits.guard_requests(session, ELSEWHERE, clock())


def test_entries_of_one_network_are_limited_and_go_on_in_the_next_window(
    session: Session, sealer: Sealer, policy: SignInPolicy, clock: StandingClock
) -> None:
    limits = Limits(sealer, policy)
    for _ in range(60):
        limits.guard_entries(session, HERE, clock())
    with pytest.raises(TooMany) as refused:
        limits.guard_entries(session, HERE, clock())
    clock.go_on(seconds=refused.value.retry_after_s)
    limits.guard_entries(session, HERE, clock())


def test_a_loopback_address_hides_many_callers_and_has_ten_times_as_much(
    may_send: Callable[..., bool],
) -> None:
    assert [may_send(number, address="127.0.0.1") for number in numbers(205)] == [True] * 200 + [False] * 5
