"""Caps on messages and entries."""

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


def test_a11_one_number_gets_one_message_a_minute_five_an_hour_and_ten_a_day(door: Door) -> None:
    door.clock.go_on(seconds=0)
    sent_at = []
    for minute in range(24 * 60):
        if minute % 4:
            door.clock.go_on(seconds=60)
            continue
        door.ask(address=f"203.0.{minute % 256}.1")
        door.ask(address=f"203.0.{minute % 256}.1")
        sent_at += [minute] * len(door.messages())
        door.clock.go_on(seconds=60)
    by_hour = [sum(1 for each in sent_at if each // 60 == hour) for hour in range(24)]
    assert len(sent_at) == len(set(sent_at)), "two within a minute"
    assert max(by_hour) == 5
    # The day of the caps begins at midnight UTC, so a day of the clock touches two of them.
    assert len(sent_at) == 20


def test_a11_one_network_gets_twenty_an_hour_and_silence_after_that(door: Door) -> None:
    for number in numbers(25):
        door.ask(number)
    assert len(door.messages()) == 20
    door.ask(numbers(26)[-1], address=ELSEWHERE)
    assert len(door.messages()) == 1


def test_a11_one_block_of_numbers_gets_a_hundred_an_hour(door: Door) -> None:
    for index in range(110):
        door.ask(f"+7916123{index:04d}", address=f"203.0.{index}.1")
    assert len(door.messages()) == 100


def test_a11_the_breaker_holds_for_all_together(
    session: Session, sealer: Sealer, clock: StandingClock
) -> None:
    limits = Limits(sealer, SignInPolicy(sender="3339", sms_per_hour=7))
    allowed = [
        limits.may_send(
            session,
            phone=number,
            address=f"203.0.{index}.1",
            known_device=False,
            eligible=True,
            now=clock(),
        )
        for index, number in enumerate(numbers(10))
    ]
    assert allowed == [True] * 7 + [False] * 3


def test_what_is_not_sent_spends_nobodys_budget(door: Door) -> None:
    for index in range(30):
        door.ask(f"+35840123{index:04d}")
    assert door.messages() == []
    for number in numbers(20):
        door.ask(number)
    assert len(door.messages()) == 20


def test_a08_a_stranger_cannot_use_up_the_codes_of_a_number(door: Door) -> None:
    for _ in range(20):
        door.ask(address=ELSEWHERE)
        door.clock.go_on(seconds=61)
    assert len(door.messages()) == 3
    door.ask(address=HERE)
    assert len(door.messages()) == 1


def test_a08_a_browser_that_signed_in_before_has_a_budget_of_its_own(door: Door) -> None:
    device_token = door.sign_in().device_token
    for network in range(10):
        door.clock.go_on(seconds=60)
        door.ask(address=f"203.0.{network}.1")
    door.messages()
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


def test_entries_of_one_network_are_limited_and_go_on_in_the_next_window(door: Door) -> None:
    for index in range(60):
        door.enter("00000000", phone=numbers(60)[index])
    with pytest.raises(TooMany) as refused:
        door.enter("00000000")
    door.clock.go_on(seconds=refused.value.retry_after_s)
    door.enter("00000000")


def test_a_loopback_address_hides_many_callers_and_has_ten_times_as_much(door: Door) -> None:
    for number in numbers(205):
        door.ask(number, address="127.0.0.1")
    assert len(door.messages()) == 200
    assert OWNER not in numbers(205)
