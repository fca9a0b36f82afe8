"""Answers kept for calls that are repeated."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import text

from tests.store.family import NOW, House
from tracker.domain.errors import NotFound
from tracker.store import idempotency
from tracker.store.seal import Sealer
from tracker.store.session import Database, Session

KEY, REQUEST = b"k" * 32, b"r" * 32


def test_the_first_call_claims_the_key_and_the_second_gets_its_answer(
    session: Session, house: House, sealer: Sealer
) -> None:
    account_id = house.viewer.account_id
    assert idempotency.begin(session, account_id, KEY, REQUEST, NOW)
    idempotency.finish(session, sealer, account_id, KEY, 201, '{"password": "secret"}')
    assert not idempotency.begin(session, account_id, KEY, REQUEST, NOW)
    earlier = idempotency.earlier(session, sealer, account_id, KEY)
    assert (earlier.request_hash, earlier.status, earlier.body) == (REQUEST, 201, '{"password": "secret"}')


def test_the_same_key_of_two_accounts_is_two_keys(session: Session, house: House, neighbour: House) -> None:
    assert idempotency.begin(session, house.viewer.account_id, KEY, REQUEST, NOW)
    assert idempotency.begin(session, neighbour.viewer.account_id, KEY, REQUEST, NOW)


def test_the_kept_answer_is_sealed(session: Session, house: House, sealer: Sealer) -> None:
    idempotency.begin(session, house.viewer.account_id, KEY, REQUEST, NOW)
    idempotency.finish(session, sealer, house.viewer.account_id, KEY, 201, '{"password": "secret"}')
    (row,) = session.execute(text("SELECT i::text FROM idempotency AS i")).scalars()
    assert b"secret".hex() not in row


def test_answers_are_forgotten_after_a_day(session: Session, house: House) -> None:
    idempotency.begin(session, house.viewer.account_id, KEY, REQUEST, NOW)
    idempotency.forget_old(session, NOW + timedelta(days=1))
    assert not idempotency.begin(session, house.viewer.account_id, KEY, REQUEST, NOW)
    idempotency.forget_old(session, NOW + timedelta(days=1, seconds=1))
    assert idempotency.begin(session, house.viewer.account_id, KEY, REQUEST, NOW)


def test_a_concurrent_twin_waits_and_gets_the_answer_of_the_first(database: Database, sealer: Sealer) -> None:
    account_id = "0123456789abcdef"
    got: list[str] = []

    def twin() -> None:
        with database.begin() as session:
            if not idempotency.begin(session, account_id, KEY, REQUEST, NOW):
                got.append(idempotency.earlier(session, sealer, account_id, KEY).body)

    with database.begin() as session:
        assert idempotency.begin(session, account_id, KEY, REQUEST, NOW)
        thread = threading.Thread(target=twin)
        thread.start()
        idempotency.finish(session, sealer, account_id, KEY, 201, "first")
        assert got == []
    thread.join(20)
    assert got == ["first"]


def test_the_key_of_a_call_that_was_undone_is_free(database: Database) -> None:
    account_id = "0123456789abcdef"

    def undone_call() -> None:
        with database.begin() as session:
            assert idempotency.begin(session, account_id, KEY, REQUEST, NOW)
            raise NotFound("undo")

    with pytest.raises(NotFound):
        undone_call()
    with database.begin() as session:
        assert idempotency.begin(session, account_id, KEY, REQUEST, NOW)
