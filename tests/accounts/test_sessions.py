"""Sessions and tokens."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from tests.accounts.door import Door
from tracker.domain.access import Viewer
from tracker.domain.account import SessionKind
from tracker.domain.errors import Invalid, NotFound, StepUpRequired
from tracker.store.access import Access


def test_a15_every_sign_in_has_a_new_secret_of_256_bits(door: Door) -> None:
    first, second = door.sign_in(), door.sign_in()
    assert first.token != second.token
    assert len(first.token) == 43


def test_a15_the_secret_is_stored_as_a_hash_only(door: Door) -> None:
    token = door.sign_in().token
    rows = door.session.execute(text("SELECT s::text FROM sessions AS s")).scalars().all()
    assert rows
    assert not any(token in row or token.encode().hex() in row for row in rows)


def test_a15_an_ended_session_is_refused_at_once(door: Door) -> None:
    token = door.sign_in().token
    viewer = door.viewer_of(token)
    door.accounts.end_session(door.session, viewer, viewer.session_id, now=door.clock())
    assert door.accounts.authenticate(door.session, token, door.clock()) is None


def test_a16_a_session_ends_after_thirty_days_however_much_it_is_used(door: Door) -> None:
    token = door.sign_in().token
    for _ in range(29):
        door.clock.go_on(days=1)
        assert door.accounts.authenticate(door.session, token, door.clock())
    door.clock.go_on(days=1)
    assert door.accounts.authenticate(door.session, token, door.clock()) is None


@pytest.mark.parametrize("token", ["", "x", "' OR 1=1 --", "\u0430" * 43, "x" * 10_000])
def test_what_is_no_token_opens_nothing(door: Door, token: str) -> None:
    door.sign_in()
    assert door.accounts.authenticate(door.session, token, door.clock()) is None


def test_a18_the_owner_sees_his_sessions_by_name_newest_first(door: Door) -> None:
    door.sign_in(agent="curl/8.14", kind=SessionKind.BEARER)
    viewer = door.viewer()
    listed = Access(door.session, viewer).sessions(door.clock())
    assert [each.name for each in listed] == ["Firefox, Linux", "curl"]
    assert listed[0].session_id == viewer.session_id


def test_nobody_ends_a_session_of_another_account(door: Door, viewer: Viewer, stranger: Viewer) -> None:
    with pytest.raises(NotFound):
        door.accounts.end_session(door.session, stranger, viewer.session_id, now=door.clock())


def test_a_named_token_opens_the_account_until_it_ends(door: Door, viewer: Viewer) -> None:
    ends_at = door.clock() + timedelta(days=7)
    token, made = door.accounts.add_token(
        door.session, viewer, name=" my  script ", expires_at=ends_at, now=door.clock()
    )
    assert (made.kind, made.name) == (SessionKind.TOKEN, "my script")
    assert door.viewer_of(token).account_id == viewer.account_id
    door.clock.go_on(days=7)
    assert door.accounts.authenticate(door.session, token, door.clock()) is None


def test_a17_a_token_makes_no_tokens(door: Door, viewer: Viewer) -> None:
    token, _ = door.accounts.add_token(door.session, viewer, name="a", expires_at=None, now=door.clock())
    with pytest.raises(StepUpRequired):
        door.accounts.add_token(
            door.session, door.viewer_of(token), name="b", expires_at=None, now=door.clock()
        )


@pytest.mark.parametrize(
    ("name", "days", "field"),
    [("", 7, "name"), ("x" * 81, 7, "name"), ("a", 0, "expires_at"), ("a", 9999, "expires_at")],
)
def test_a_wrong_token_is_refused_by_field(
    door: Door, viewer: Viewer, name: str, days: int, field: str
) -> None:
    ends_at = door.clock() + timedelta(days=days)
    with pytest.raises(Invalid) as refused:
        door.accounts.add_token(door.session, viewer, name=name, expires_at=ends_at, now=door.clock())
    assert refused.value.errors[0][0] == field


def test_the_owner_chooses_his_language(door: Door, viewer: Viewer) -> None:
    door.accounts.set_locale(door.session, viewer, "en", now=door.clock())
    assert Access(door.session, viewer).account().locale == "en"
    with pytest.raises(Invalid):
        door.accounts.set_locale(door.session, viewer, "xx", now=door.clock())
