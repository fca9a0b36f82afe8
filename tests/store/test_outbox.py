"""The outbox: leases and what lies in it."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import text

from tests.store.family import NOW
from tracker.domain.errors import NotFound
from tracker.domain.notification import Notification
from tracker.store import outbox
from tracker.store.seal import Sealer
from tracker.store.session import Database, Session

TOLD = Notification(
    channel="sms",
    kind="login_code",
    to="+79161234567",
    locale="ru",
    args={"code": "01234567"},
    expires_at=NOW + timedelta(minutes=10),
)


def claimed(session: Session, sealer: Sealer, now: datetime, limit: int = 50) -> list[str]:
    return [each.outbox_id for each in outbox.claim(session, sealer, now, limit)]


def test_what_was_put_comes_back_whole(session: Session, sealer: Sealer) -> None:
    outbox_id = outbox.put(session, TOLD, sealer, NOW)
    (got,) = outbox.claim(session, sealer, NOW)
    assert (got.outbox_id, got.attempts, got.notification) == (outbox_id, 1, TOLD)


def test_address_and_arguments_lie_sealed(session: Session, sealer: Sealer) -> None:
    outbox.put(session, TOLD, sealer, NOW)
    (row,) = session.execute(text("SELECT o::text FROM outbox AS o")).scalars()
    for secret in ("01234567", "79161234567"):
        assert secret not in row
        assert secret.encode().hex() not in row


def test_a_claimed_one_is_nobody_else_s_until_the_lease_ends(session: Session, sealer: Sealer) -> None:
    outbox_id = outbox.put(session, TOLD, sealer, NOW)
    assert claimed(session, sealer, NOW) == [outbox_id]
    assert claimed(session, sealer, NOW + outbox.LEASE - timedelta(microseconds=1)) == []
    (again,) = outbox.claim(session, sealer, NOW + outbox.LEASE)
    assert (again.outbox_id, again.attempts) == (outbox_id, 2)


def test_two_transactions_at_once_never_claim_the_same(database: Database, sealer: Sealer) -> None:
    with database.begin() as session:
        put = {outbox.put(session, TOLD, sealer, NOW) for _ in range(10)}
    with database.begin() as first, database.begin() as second:
        mine = claimed(first, sealer, NOW, limit=6)
        theirs = claimed(second, sealer, NOW, limit=6)
    assert len(mine) == 6
    assert len(theirs) == 4
    assert set(mine) | set(theirs) == put


def test_a_settled_one_is_never_claimed_again_and_its_content_is_gone(
    session: Session, sealer: Sealer
) -> None:
    outbox_id = outbox.put(session, TOLD, sealer, NOW)
    claimed(session, sealer, NOW)
    outbox.settle(session, outbox_id, "sent", NOW)
    assert claimed(session, sealer, NOW + timedelta(minutes=5)) == []
    assert session.execute(text("SELECT sealed FROM outbox")).scalar_one() is None
    assert outbox.next_due(session) is None


def test_one_given_back_is_due_when_told(session: Session, sealer: Sealer) -> None:
    outbox_id = outbox.put(session, TOLD, sealer, NOW)
    claimed(session, sealer, NOW)
    due_at = NOW + timedelta(seconds=7)
    outbox.retry(session, outbox_id, due_at)
    assert outbox.next_due(session) == due_at
    assert claimed(session, sealer, due_at - timedelta(microseconds=1)) == []
    assert claimed(session, sealer, due_at) == [outbox_id]


def test_an_expired_one_is_settled_and_not_claimed(session: Session, sealer: Sealer) -> None:
    outbox.put(session, TOLD, sealer, NOW)
    assert claimed(session, sealer, TOLD.expires_at) == []
    row = session.execute(text("SELECT outcome, sealed FROM outbox")).one()
    assert tuple(row) == ("expired", None)


def test_one_of_another_secret_key_is_settled_and_the_others_are_claimed(
    session: Session, sealer: Sealer
) -> None:
    outbox.put(session, TOLD, Sealer("another secret of 32 characters!"), NOW)
    good = outbox.put(session, TOLD, sealer, NOW)
    assert claimed(session, sealer, NOW) == [good]
    outcomes = (
        session.execute(text("SELECT outcome FROM outbox WHERE settled_at IS NOT NULL")).scalars().all()
    )
    assert outcomes == ["unreadable"]


def test_the_worker_hears_of_a_new_one_at_commit_and_not_before(database: Database, sealer: Sealer) -> None:
    listener = database.listen(outbox.OUTBOX_CHANNEL)
    try:
        with database.begin() as session:
            outbox.put(session, TOLD, sealer, NOW)
            session.flush()
            assert listener.wait(0.2) == []
        assert listener.wait(10) == [(outbox.OUTBOX_CHANNEL, TOLD.channel)]
    finally:
        listener.close()


def test_a_notification_of_an_undone_change_does_not_exist(database: Database, sealer: Sealer) -> None:

    def undone_change() -> None:
        with database.begin() as session:
            outbox.put(session, TOLD, sealer, NOW)
            raise NotFound("undo")

    with pytest.raises(NotFound):
        undone_change()
    with database.begin() as session:
        assert claimed(session, sealer, NOW) == []


def test_settled_ones_are_forgotten_after_two_days(session: Session, sealer: Sealer) -> None:
    outbox_id = outbox.put(session, TOLD, sealer, NOW)
    outbox.settle(session, outbox_id, "sent", NOW)
    for days, left in ((2, 1), (3, 0)):
        outbox.forget_settled(session, NOW + timedelta(days=days))
        assert session.execute(text("SELECT count(*) FROM outbox")).scalar_one() == left
