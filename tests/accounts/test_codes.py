"""Codes: making, counting, choosing."""

import re
from importlib import resources

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.accounts.codes import (
    ENTRIES_ALLOWED,
    after_entry,
    check_own_code,
    new_sms_code,
    own_code,
    sms_code,
)
from tracker.domain.errors import Invalid

PHONE = "+79161234567"


@pytest.mark.parametrize(
    ("wrong_entries", "right", "opened", "blocked", "count", "left"),
    [
        (0, True, True, False, 0, 3),
        (0, False, False, False, 1, 2),
        (1, True, True, False, 0, 3),
        (1, False, False, False, 2, 1),
        (2, True, True, False, 0, 3),
        (2, False, False, True, 3, 0),
        (3, True, False, True, 3, 0),
        (3, False, False, True, 3, 0),
        (9, True, False, True, 9, 0),
    ],
)
def test_a04_the_table_of_entries(
    wrong_entries: int, right: bool, opened: bool, blocked: bool, count: int, left: int
) -> None:
    outcome = after_entry(wrong_entries, right)
    assert (outcome.opened, outcome.blocked, outcome.wrong_entries, outcome.attempts_left) == (
        opened,
        blocked,
        count,
        left,
    )


@given(st.lists(st.booleans(), max_size=40))
def test_a04_no_order_of_entries_opens_after_three_wrong_ones_in_a_row(entries: list[bool]) -> None:
    count, wrong_in_a_row, was_blocked = 0, 0, False
    for right in entries:
        outcome = after_entry(count, right)
        assert outcome.opened == (right and not was_blocked)
        wrong_in_a_row = 0 if outcome.opened else wrong_in_a_row + 1
        was_blocked = was_blocked or wrong_in_a_row >= ENTRIES_ALLOWED
        assert outcome.blocked == was_blocked
        count = outcome.wrong_entries


def test_a02_sms_codes_are_eight_digits_and_use_the_whole_range() -> None:
    made = [new_sms_code() for _ in range(2000)]
    assert all(re.fullmatch(r"[0-9]{8}", code) for code in made)
    assert {code[0] for code in made} == set("0123456789")
    assert len(set(made)) > 1990


@pytest.mark.parametrize(
    "entered", ["12345678", " 1234 5678 ", "1234-5678", "１２３４５６７８", "1234\u00a05678"]
)
def test_sms_codes_are_taken_as_people_and_keyboards_write_them(entered: str) -> None:
    assert sms_code(entered) == "12345678"


@pytest.mark.parametrize(
    "code",
    [
        "river7st",
        "River7ST",
        "83617294",
        "кленовый9",
        "a" * 10 + "b7" * 27 + "q",
        "x7 y8 z9 w",
        "пять+пять=5",
    ],
)
def test_a13_eight_and_more_letters_and_digits_are_taken(code: str) -> None:
    check_own_code(code, phone=PHONE, locale="ru")


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("river7s", "Too short"),
        ("", "Too short"),
        ("   river7   ", "Too short"),
        ("ab7" * 43, "Too long"),
        ("river7\x00stone", "invisible"),
        ("river7\u200bstone", "invisible"),
        ("79161234567", "phone number"),
        ("9161234567", "phone number"),
        ("my1234567x", "phone number"),
        ("ryadom12", "name of the service"),
        ("Рядом2026", "name of the service"),
        ("aaaaaaaa", "Runs and repeats"),
        ("abababab", "Runs and repeats"),
        ("98765432", "Runs and repeats"),
        ("QWERTYUIOP", "Runs and repeats"),
        ("йцукенгш", "Runs and repeats"),
        ("Password1", "most common"),
        ("1q2w3e4r5t", "most common"),
    ],
)
def test_a13_what_is_too_short_or_easily_guessed_is_refused_with_the_reason(code: str, why: str) -> None:
    with pytest.raises(Invalid) as refused:
        check_own_code(code, phone=PHONE, locale="en")
    ((field, message),) = refused.value.errors
    assert field == "code"
    assert why in message


def test_the_reason_is_told_in_russian() -> None:
    with pytest.raises(Invalid, match="Слишком коротко"):
        check_own_code("а1", phone=PHONE, locale="ru")


def test_a13_case_is_kept_and_nothing_is_cut() -> None:
    assert own_code("River7STONE") == "River7STONE"
    assert own_code("z9" * 64) == "z9" * 64


def test_a13_what_is_longer_than_any_own_code_matches_none() -> None:
    assert own_code("z9" * 65) == ""
    assert own_code("x" * 10**6) == ""


@given(st.text(max_size=200))
def test_any_text_is_either_a_code_that_stays_itself_or_refused(text: str) -> None:
    try:
        check_own_code(text, phone=PHONE, locale="en")
    except Invalid:
        return
    assert len(own_code(text)) >= 8
    assert own_code(own_code(text)) == own_code(text)


def test_every_entry_of_the_blocklist_is_refused() -> None:
    text = resources.files("tracker.accounts").joinpath("common_codes.txt").read_text("utf-8")
    common = [line for line in text.splitlines() if not line.startswith("# ")]
    assert len(common) >= 3000
    for code in common:
        with pytest.raises(Invalid):
            check_own_code(code, phone=PHONE, locale="en")
