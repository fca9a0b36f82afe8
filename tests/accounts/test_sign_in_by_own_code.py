"""Signing in by the owner's own code."""

import pytest

from tests.accounts.door import ELSEWHERE, OWN_CODE, OWNER, Door
from tracker.accounts.service import Blocked, SignedIn, WrongCode
from tracker.domain.account import SessionLevel

UNKNOWN = "+79168888888"


@pytest.fixture(autouse=True)
def own_code(door: Door) -> None:
    door.set_own_code()


def test_the_own_code_opens_without_a_request(door: Door) -> None:
    outcome = door.enter(OWN_CODE)
    assert isinstance(outcome, SignedIn)
    assert outcome.session.level is SessionLevel.OWN_CODE
    assert outcome.account.has_own_code


def test_an_own_code_lasts(door: Door) -> None:
    door.clock.go_on(days=400)
    assert isinstance(door.enter(OWN_CODE), SignedIn)


@pytest.mark.parametrize("entered", ["RIVER7STONE", "river7ston", "river7stone1", "river7 stone", ""])
def test_a13_case_and_every_character_count(door: Door, entered: str) -> None:
    assert door.enter(entered) == WrongCode(attempts_left=2)


def test_a13_a_pasted_code_with_blanks_around_opens(door: Door) -> None:
    assert isinstance(door.enter(f"  {OWN_CODE}\n"), SignedIn)


def test_a04_three_wrong_entries_block_it_even_for_the_right_code(door: Door) -> None:
    assert [door.enter("wrong-code") for _ in range(3)] == [
        WrongCode(attempts_left=2),
        WrongCode(attempts_left=1),
        Blocked(),
    ]
    assert door.enter(OWN_CODE) == Blocked()
    door.clock.go_on(days=30)
    assert door.enter(OWN_CODE) == Blocked()


def test_a04_asking_for_a_new_code_does_not_unblock_but_using_it_does(door: Door) -> None:
    for _ in range(3):
        door.enter("wrong-code")
    asked, code = door.ask_and_read()
    assert door.enter(OWN_CODE) == Blocked()
    assert isinstance(door.enter(code, asked.login_id), SignedIn)
    assert isinstance(door.enter(OWN_CODE), SignedIn)


def test_a06_success_resets_the_count(door: Door) -> None:
    for _ in range(3):
        assert door.enter("wrong-code") == WrongCode(attempts_left=2)
        assert door.enter("wrong-code") == WrongCode(attempts_left=1)
        assert isinstance(door.enter(OWN_CODE), SignedIn)


def test_a07_a_block_ends_no_session(door: Door) -> None:
    outcome = door.enter(OWN_CODE)
    assert isinstance(outcome, SignedIn)
    for _ in range(4):
        door.enter("wrong-code")
    assert door.viewer_of(outcome.token).account_id == outcome.account.account_id


def test_a08_a_strangers_requests_leave_the_own_code_good(door: Door) -> None:
    for _ in range(20):
        door.ask(address=ELSEWHERE)
    assert isinstance(door.enter(OWN_CODE), SignedIn)


def test_a09_wrong_sms_codes_do_not_count_against_the_own_code(door: Door) -> None:
    asked = door.ask(address=ELSEWHERE)
    for _ in range(4):
        door.enter("00000000", asked.login_id, address=ELSEWHERE)
    assert isinstance(door.enter(OWN_CODE), SignedIn)


def test_a10_known_numbers_unknown_ones_and_those_without_an_own_code_answer_alike(door: Door) -> None:
    door.sign_in("+79169999999")
    for phone in (OWNER, UNKNOWN, "+79169999999", "+358401234567"):
        answers = [door.enter("wrong-code", phone=phone) for _ in range(5)]
        assert answers == [
            WrongCode(attempts_left=2),
            WrongCode(attempts_left=1),
            Blocked(),
            Blocked(),
            Blocked(),
        ]


def test_a18_the_owner_is_told_of_a_sign_in_by_his_own_code_from_elsewhere(door: Door) -> None:
    door.enter(OWN_CODE, address=ELSEWHERE)
    (notice,) = door.messages()
    assert (notice.kind, notice.to, notice.args["device"]) == ("new_sign_in", OWNER, "Firefox, Linux")


def test_a18_a_browser_that_signed_in_before_causes_no_notice(door: Door) -> None:
    device_token = door.sign_in().device_token
    assert isinstance(door.enter(OWN_CODE, device_token=device_token), SignedIn)
    assert door.messages() == []


def test_a18_notices_are_at_most_five_a_day(door: Door) -> None:
    for _ in range(8):
        door.enter(OWN_CODE)
    assert len(door.messages()) == 5
