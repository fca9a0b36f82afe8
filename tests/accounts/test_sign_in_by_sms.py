"""Signing in by a code from an SMS."""

from datetime import timedelta

import pytest

from tests.accounts.door import ELSEWHERE, OWNER, Door, another
from tracker.accounts.service import TERMS_VERSION, Blocked, SignedIn, WrongCode
from tracker.domain.account import SessionLevel
from tracker.domain.errors import Invalid
from tracker.store import accounts as stored


def test_a01_the_right_code_with_accepted_terms_opens_the_account(door: Door) -> None:
    asked, code = door.ask_and_read()
    outcome = door.enter(code, asked.login_id)
    assert isinstance(outcome, SignedIn)
    assert outcome.account.phone == OWNER
    assert outcome.account.region == "RU-MOW"
    assert (outcome.account.terms_version, outcome.account.terms_accepted_at) == (TERMS_VERSION, door.clock())
    assert outcome.session.level is SessionLevel.SMS
    assert outcome.session.expires_at == door.clock() + timedelta(days=30)


def test_a01_without_the_terms_nothing_is_evaluated_and_the_code_stays_good(door: Door) -> None:
    asked, code = door.ask_and_read()
    for entered in (code, another(code), another(code), another(code)):
        with pytest.raises(Invalid) as refused:
            door.enter(entered, asked.login_id, accept_terms=False)
        assert refused.value.errors[0][0] == "accept_terms"
    assert stored.by_phone(door.session, OWNER) is None
    assert isinstance(door.enter(code, asked.login_id), SignedIn)


def test_a01_the_first_acceptance_of_a_version_stands(door: Door) -> None:
    first = door.sign_in().account.terms_accepted_at
    door.clock.go_on(days=3)
    assert door.sign_in().account.terms_accepted_at == first


def test_a_second_sign_in_opens_the_same_account(door: Door) -> None:
    first, second = door.sign_in(), door.sign_in()
    assert first.account.account_id == second.account.account_id
    assert first.token != second.token


def test_a03_a_code_dies_at_ten_minutes(door: Door) -> None:
    asked, code = door.ask_and_read()
    door.clock.go_on(minutes=10)
    assert door.enter(code, asked.login_id) == WrongCode(attempts_left=0)


def test_a03_a_code_lives_just_below_ten_minutes(door: Door) -> None:
    asked, code = door.ask_and_read()
    door.clock.go_on(minutes=9, seconds=59)
    assert isinstance(door.enter(code, asked.login_id), SignedIn)


def test_a03_a_code_works_once(door: Door) -> None:
    asked, code = door.ask_and_read()
    assert isinstance(door.enter(code, asked.login_id), SignedIn)
    assert door.enter(code, asked.login_id) == WrongCode(attempts_left=0)


def test_a03_an_older_code_lives_until_a_newer_one_is_used(door: Door) -> None:
    (first, first_code), (second, second_code) = door.ask_and_read(), door.ask_and_read()
    assert isinstance(door.enter(first_code, first.login_id), SignedIn)
    assert isinstance(door.enter(second_code, second.login_id), SignedIn)


def test_a03_an_older_code_dies_with_the_use_of_a_newer_one(door: Door) -> None:
    (first, first_code), (second, second_code) = door.ask_and_read(), door.ask_and_read()
    assert isinstance(door.enter(second_code, second.login_id), SignedIn)
    assert door.enter(first_code, first.login_id) == WrongCode(attempts_left=0)


def test_a04_the_third_wrong_entry_blocks_and_the_right_code_is_refused_then(door: Door) -> None:
    asked, code = door.ask_and_read()
    wrong = another(code)
    assert door.enter(wrong, asked.login_id) == WrongCode(attempts_left=2)
    assert door.enter(wrong, asked.login_id) == WrongCode(attempts_left=1)
    assert door.enter(wrong, asked.login_id) == Blocked()
    assert door.enter(code, asked.login_id) == Blocked()


def test_a04_a_new_code_opens_after_the_block(door: Door) -> None:
    asked, code = door.ask_and_read()
    for _ in range(3):
        door.enter(another(code), asked.login_id)
    assert isinstance(door.sign_in(), SignedIn)
    assert door.enter(code, asked.login_id) == WrongCode(attempts_left=0)


def test_a_right_code_after_two_wrong_ones_opens(door: Door) -> None:
    asked, code = door.ask_and_read()
    for _ in range(2):
        door.enter(another(code), asked.login_id)
    assert isinstance(door.enter(code, asked.login_id), SignedIn)


def test_a_code_opens_only_with_the_request_that_asked_for_it(door: Door) -> None:
    asked, code = door.ask_and_read()
    other, _ = door.ask_and_read("+79169999999")
    strangers = door.ask()
    assert door.enter(code, strangers.login_id) == WrongCode(attempts_left=2)
    assert door.enter(code, other.login_id) == WrongCode(attempts_left=0)
    assert door.enter(code, "f" * 16) == WrongCode(attempts_left=0)
    assert door.enter(code, "../../etc/passwd\0") == WrongCode(attempts_left=0)
    assert door.enter(code, asked.login_id, phone="+79169999999") == WrongCode(attempts_left=0)
    assert isinstance(door.enter(code, asked.login_id), SignedIn)


def test_an_sms_code_is_no_own_code(door: Door) -> None:
    _, code = door.ask_and_read()
    assert door.enter(code, None) == WrongCode(attempts_left=2)


def test_a09_a_strangers_wrong_entries_burn_only_his_own_request(door: Door) -> None:
    asked, code = door.ask_and_read()
    strangers = door.ask(address=ELSEWHERE)
    for _ in range(5):
        door.enter("00000000", strangers.login_id, address=ELSEWHERE)
    assert isinstance(door.enter(code, asked.login_id), SignedIn)


def test_a08_a_strangers_requests_leave_the_pending_code_good(door: Door) -> None:
    asked, code = door.ask_and_read()
    for _ in range(20):
        door.ask(address=ELSEWHERE)
    assert isinstance(door.enter(code, asked.login_id), SignedIn)


def test_a12_a_request_without_a_message_answers_like_any_other_and_never_opens(door: Door) -> None:
    foreign = "+358401234567"
    asked = door.ask(foreign)
    answers = [door.enter("12345678", asked.login_id, phone=foreign) for _ in range(4)]
    assert answers == [WrongCode(attempts_left=2), WrongCode(attempts_left=1), Blocked(), Blocked()]


@pytest.mark.parametrize("entered", ["", " ", "1", "x" * 100_000, "12345678\0", "१२३४५६७८"])
def test_odd_entries_are_wrong_codes_and_nothing_worse(door: Door, entered: str) -> None:
    asked = door.ask()
    assert door.enter(entered, asked.login_id) == WrongCode(attempts_left=2)
    assert door.enter(entered, None) == WrongCode(attempts_left=2)


def test_the_code_is_taken_as_the_message_shows_it_or_with_blanks(door: Door) -> None:
    asked, code = door.ask_and_read()
    assert isinstance(door.enter(f" {code[:4]} {code[4:]} ", asked.login_id), SignedIn)


def test_signing_in_by_sms_sends_no_further_message(door: Door) -> None:
    door.sign_in()
    door.sign_in(agent="curl/8.14")
    assert door.messages() == []
