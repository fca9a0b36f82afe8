"""What of an account was refused, for its owner's eyes: lists, counts, content on demand, deletion."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, func, literal, select, tuple_

from tracker.domain.errors import NotFound, Reason
from tracker.store.quarantine import PAYLOAD_BYTES, chosen, opened, quarantine, require_condition
from tracker.store.schema import Id
from tracker.store.seal import Sealer
from tracker.store.session import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A refused message as its owner sees it, without its content.

    `device_id` and `origin_id` may name what was removed since; `origin_id` is who sent it: a device, a
    gateway or a source. `replay_asked_at` is set while it waits to be tried again, `replayed_at` is when it
    last was. `whole` tells whether all of it was kept, so that it can be tried again.
    """

    quarantine_id: str
    device_id: str | None
    origin_id: str | None
    external_id: str | None
    reason: Reason
    detail: str
    topic: str
    dialect: str | None
    size_bytes: int | None
    whole: bool
    replay_asked_at: datetime | None
    replayed_at: datetime | None
    received_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How many messages of one sender and external id were refused for one reason, and when last."""

    reason: Reason
    device_id: str | None
    origin_id: str | None
    external_id: str | None
    messages: int
    waiting: int
    last_received_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Census:
    """How many messages of a dialect were refused for one reason, of how many senders, in every account."""

    reason: Reason
    dialect: str | None
    messages: int
    senders: int
    waiting: int


def of_account(
    session: Session,
    account_id: str,
    *,
    reason: Reason | None = None,
    device_id: str | None = None,
    origin_id: str | None = None,
    external_id: str | None = None,
    after: tuple[datetime, str] | None = None,
    limit: int = 100,
) -> list[Refusal]:
    """Return up to `limit` refused messages, newest first, those behind the key `after`."""
    query = select(quarantine).where(*chosen(account_id, reason, device_id, origin_id, external_id))
    key = tuple_(quarantine.c.received_at, quarantine.c.quarantine_id)
    if after:
        query = query.where(key < tuple_(after[0], literal(after[1], Id)))
    query = query.order_by(quarantine.c.received_at.desc(), quarantine.c.quarantine_id.desc()).limit(limit)
    return [_refusal(row) for row in session.execute(query)]


def tally(session: Session, account_id: str) -> list[Tally]:
    """Return how many messages were refused by reason and sender, most recent first; at most 200 groups."""
    c = quarantine.c
    last = func.max(c.received_at)
    query = (
        select(
            c.reason,
            c.device_id,
            c.origin_id,
            c.external_id,
            func.count(),
            func.count(c.replay_asked_at),
            last,
        )
        .where(c.account_id == account_id)
        .group_by(c.reason, c.device_id, c.origin_id, c.external_id)
        .order_by(last.desc())
        .limit(200)
    )
    return [
        Tally(
            reason=Reason(row[0]),
            device_id=row[1],
            origin_id=row[2],
            external_id=row[3],
            messages=row[4],
            waiting=row[5],
            last_received_at=row[6],
        )
        for row in session.execute(query)
    ]


def census(session: Session) -> list[Census]:
    """Return how many messages of any account lie refused, by reason and dialect, most first."""
    c = quarantine.c
    number = func.count()
    query = (
        select(
            c.reason, c.dialect, number, func.count(func.distinct(c.origin_id)), func.count(c.replay_asked_at)
        )
        .group_by(c.reason, c.dialect)
        .order_by(number.desc(), c.reason, c.dialect)
    )
    return [
        Census(reason=Reason(row[0]), dialect=row[1], messages=row[2], senders=row[3], waiting=row[4])
        for row in session.execute(query)
    ]


def get(session: Session, account_id: str, quarantine_id: str) -> Refusal:
    """Return one refused message.

    Raises:
        NotFound: missing, or another account's.
    """
    return _refusal(_row(session, account_id, quarantine_id))


def content(session: Session, sealer: Sealer, account_id: str, quarantine_id: str) -> tuple[bytes, str]:
    """Return the kept payload and, of an HTTP message, its query; for the owner's eyes only.

    Raises:
        NotFound: missing, or another account's.
        Misconfigured: it was sealed with another secret key.
    """
    payload, query, _ = opened(sealer, _row(session, account_id, quarantine_id))
    return payload, query


def remove(session: Session, account_id: str, quarantine_id: str) -> None:
    """Delete one refused message.

    Raises:
        NotFound: missing, or another account's.
    """
    c = quarantine.c
    gone = session.execute(
        delete(quarantine)
        .where(c.account_id == account_id, c.quarantine_id == quarantine_id)
        .returning(c.quarantine_id)
    ).all()
    if not gone:
        raise NotFound("refused message")


def remove_of(
    session: Session,
    account_id: str,
    *,
    reason: Reason | None = None,
    device_id: str | None = None,
    origin_id: str | None = None,
    external_id: str | None = None,
) -> int:
    """Delete the account's refused messages that fit every condition given; return how many.

    Raises:
        Invalid: no condition was given.
    """
    conditions = chosen(account_id, reason, device_id, origin_id, external_id)
    require_condition(conditions)
    gone = session.execute(delete(quarantine).where(*conditions).returning(quarantine.c.quarantine_id))
    return len(gone.all())


def _row(session: Session, account_id: str, quarantine_id: str) -> Row[Any]:
    row = session.execute(
        select(quarantine).where(
            quarantine.c.account_id == account_id, quarantine.c.quarantine_id == quarantine_id
        )
    ).first()
    if row is None:
        raise NotFound("refused message")
    return row


def _refusal(row: Row[Any]) -> Refusal:
    return Refusal(
        quarantine_id=row.quarantine_id,
        device_id=row.device_id,
        origin_id=row.origin_id,
        external_id=row.external_id,
        reason=Reason(row.reason),
        detail=row.detail,
        topic=row.topic,
        dialect=row.dialect,
        size_bytes=row.size_bytes,
        whole=row.size_bytes is not None and row.size_bytes <= PAYLOAD_BYTES,
        replay_asked_at=row.replay_asked_at,
        replayed_at=row.replayed_at,
        received_at=row.received_at,
    )
