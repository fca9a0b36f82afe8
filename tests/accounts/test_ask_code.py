"""Asking for a code."""

import pytest
from sqlalchemy import text

from tests.accounts.door import HERE, OWNER, Door, another
from tracker.accounts.service import SignedIn
from tracker.domain.errors import Invalid
from tracker.store.session import Session


def test_a01_the_code_goes_to_the_number_in_the_language_asked_for(door: Door) -> None:
    door.ask("8 916 123-45-67", locale="en-GB")
    (message,) = door.messages()
    assert (message.channel, message.kind, message.to, message.locale) == ("sms", "login_code", OWNER, "en")
    assert message.args["minutes"] == 10
    assert message.args["host"] == "ryadom.example"


def test_the_answer_says_who_sends_and_how_long_to_wait(door: Door) -> None:
    asked = door.ask()
    assert (asked.sender, asked.expires_in_s, asked.resend_in_s, asked.phone) == ("3339", 600, 60, OWNER)


def test_what_is_no_phone_number_is_refused_by_field(door: Door) -> None:
    with pytest.raises(Invalid) as refused:
        door.ask("not a number")
    assert refused.value.errors[0][0] == "phone"
    assert door.messages() == []


@pytest.mark.parametrize("phone", ["+358401234567", "+74951234567", "+78091234567"])
def test_a12_the_answer_is_the_same_for_numbers_that_get_no_code(door: Door, phone: str) -> None:
    asked, known = door.ask(phone), door.ask()
    assert (asked.sender, asked.expires_in_s, asked.resend_in_s) == (
        known.sender,
        known.expires_in_s,
        known.resend_in_s,
    )
    assert len(asked.login_id) == len(known.login_id)


@pytest.mark.parametrize("phone", ["+358401234567", "+74951234567", "+78091234567"])
def test_a12_foreign_landline_and_premium_numbers_get_no_message(door: Door, phone: str) -> None:
    door.ask(phone)
    assert door.messages() == []


def test_asking_twice_within_a_minute_does_not_make_the_message_that_came_useless(door: Door) -> None:
    """Found from outside: the second request showed a page on which the first, only SMS did not open."""
    asked, code = door.ask_and_read()
    again = door.ask(earlier_login_id=asked.login_id)
    assert door.messages() == []
    assert again.login_id == asked.login_id
    assert isinstance(door.enter(code, again.login_id), SignedIn)


def test_a_request_that_opens_nothing_any_more_is_not_gone_on_with(door: Door) -> None:
    asked, code = door.ask_and_read()
    door.enter(code, asked.login_id)
    assert door.ask(earlier_login_id=asked.login_id).login_id != asked.login_id


def test_a_foreign_request_is_not_gone_on_with(door: Door) -> None:
    foreign, _ = door.ask_and_read("+79161234599")
    door.ask()
    assert door.ask(earlier_login_id=foreign.login_id).login_id != foreign.login_id


def test_a_code_that_was_used_up_is_replaced_without_the_pause_of_a_minute(door: Door) -> None:
    asked, code = door.ask_and_read()
    for _ in range(3):
        door.enter(another(code), asked.login_id)
    door.ask()
    assert len(door.messages()) == 1, "blocked: only a new code opens, so it comes now"
    door.ask()
    assert door.messages() == [], "that one still opens"


def test_who_has_signed_in_may_ask_again_at_once(door: Door) -> None:
    asked, code = door.ask_and_read()
    door.enter(code, asked.login_id)
    door.ask()
    assert [each.kind for each in door.messages()] == ["login_code"]


def test_a02_neither_the_code_nor_the_number_lies_in_the_database_in_clear(door: Door) -> None:
    asked = door.ask()
    dump = dump_of(door.session)
    (message,) = door.messages()
    assert asked.login_id
    assert message.args["code"] not in dump
    assert message.args["code"].encode().hex() not in dump
    assert OWNER not in dump
    assert OWNER.removeprefix("+") not in dump
    assert HERE not in dump


def test_the_address_of_the_caller_is_not_stored(door: Door) -> None:
    door.ask()
    door.enter("00000000")
    assert HERE not in dump_of(door.session)
    assert HERE.rpartition(".")[0] not in dump_of(door.session)


def dump_of(session: Session) -> str:
    """Return every row of every table that asking writes to."""
    rows: list[str] = []
    for table in ("login_requests", "code_entries", "rate_counters", "outbox", "accounts"):
        rows += session.execute(text(f"SELECT t::text FROM {table} AS t")).scalars()  # noqa: S608
    return "\n".join(rows)
