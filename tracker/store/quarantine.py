"""Messages that could not be taken: kept sealed with a reason, tried again on their owner's word."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    Index,
    Integer,
    LargeBinary,
    Row,
    Table,
    Text,
    case,
    delete,
    false,
    func,
    insert,
    null,
    or_,
    select,
    text,
    update,
)

from tracker.domain.errors import Invalid, Misconfigured, Reason
from tracker.domain.ids import new_id
from tracker.store.schema import Id, metadata, moment
from tracker.store.seal import Sealer
from tracker.store.session import Session

KEEP_FOR = timedelta(days=14)
PAYLOAD_BYTES = 65_536
"""The longest payload kept whole; of a longer one the beginning is kept, and it cannot be tried again."""
TOPIC_LENGTH = 1024
REPLAY_CHANNEL = "tracker_replay"
REPLAY_LEASE = timedelta(seconds=60)
UNREADABLE = "sealed with another secret key"

quarantine = Table(
    "quarantine",
    metadata,
    Column("quarantine_id", Id, primary_key=True, autoincrement=False),
    Column("account_id", Id, index=True),
    Column("device_id", Id),
    Column("reason", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("topic", Text, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("request_sealed", LargeBinary),
    Column("size_bytes", Integer),
    Column("dialect", Text),
    Column("origin_id", Id),
    Column("external_id", Text),
    Column("retained", Boolean, nullable=False, server_default=false()),
    moment("replay_asked_at", nullable=True),
    moment("replayed_at", nullable=True),
    moment("received_at", index=True),
    Index(
        "ix_quarantine_replay_asked_at",
        "replay_asked_at",
        postgresql_where=text("replay_asked_at IS NOT NULL"),
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """A refused message to be tried again, as it came; `query` and `headers` are of one that came by HTTP.

    `device_id` is set for what came from a device of its own; `origin_id` is the device, gateway or source.
    """

    quarantine_id: str
    account_id: str
    origin_id: str
    device_id: str | None
    dialect: str | None
    topic: str
    payload: bytes
    query: str
    retained: bool
    received_at: datetime
    headers: Mapping[str, str] = field(default_factory=dict)


def put(
    session: Session,
    sealer: Sealer,
    *,
    account_id: str | None,
    device_id: str | None,
    reason: Reason,
    detail: str,
    topic: str,
    payload: bytes,
    received_at: datetime,
    origin_id: str | None = None,
    external_id: str | None = None,
    dialect: str | None = None,
    retained: bool = False,
    query: str = "",
    headers: Mapping[str, str] | None = None,
) -> str:
    """Keep a refused message and return its id: of the payload 64 KiB, of the topic 1,024 characters.

    `origin_id` is the sender; None: the device itself. `query` and `headers` are those of an HTTP message,
    kept sealed as well; credentials must not be among them.
    """
    quarantine_id = new_id()
    context = f"quarantine/{quarantine_id}"
    by_http = json.dumps([query, dict(headers or {})]).encode() if query or headers else None
    session.execute(
        insert(quarantine).values(
            quarantine_id=quarantine_id,
            account_id=account_id,
            device_id=device_id,
            reason=reason.value,
            detail=detail[:200].replace("\0", "\ufffd"),
            topic=topic[:TOPIC_LENGTH].replace("\0", "\ufffd"),
            sealed=sealer.seal(payload[:PAYLOAD_BYTES], context=context),
            request_sealed=sealer.seal(by_http, context=f"{context}/request") if by_http else None,
            size_bytes=len(payload),
            dialect=dialect,
            origin_id=origin_id or device_id,
            external_id=external_id[:200].replace("\0", "\ufffd") if external_id else None,
            retained=retained,
            received_at=received_at,
        )
    )
    return quarantine_id


def counts(session: Session) -> dict[str, int]:
    """Return how many messages lie in quarantine, by reason."""
    rows = session.execute(select(quarantine.c.reason, func.count()).group_by(quarantine.c.reason))
    return {row[0]: row[1] for row in rows}


def ask_replay(session: Session, account_id: str, external_id: str, now: datetime) -> int:
    """Have every message of a newly adopted device tried again; return how many.

    They are those that the account's gateways and sources sent of `external_id`, in any case of its letters,
    whether or not there was room for the name in their lists of unknown devices.
    """
    return _ask(
        session,
        [
            *chosen(account_id, Reason.UNKNOWN_DEVICE),
            func.lower(quarantine.c.external_id) == external_id.lower(),
        ],
        now,
    )


def ask_replay_of(
    session: Session,
    account_id: str | None,
    *,
    ids: Sequence[str] = (),
    reason: Reason | None = None,
    device_id: str | None = None,
    origin_id: str | None = None,
    external_id: str | None = None,
    now: datetime,
) -> int:
    """Have the refused messages that fit every condition given tried again; return how many.

    Messages that were not kept whole are left. `account_id` None is the operator's: messages of any account.

    Raises:
        Invalid: no condition was given.
    """
    conditions = chosen(account_id, reason, device_id, origin_id, external_id)
    if ids:
        conditions.append(quarantine.c.quarantine_id.in_(ids))
    require_condition(conditions)
    return _ask(session, conditions, now)


def take_replays(session: Session, sealer: Sealer, limit: int, now: datetime) -> list[Replay]:
    """Take up to `limit` messages that are to be tried again, by a lease of 60 s: commit, then try them.

    Nobody else gets one of them meanwhile; what is not settled in that time is due again, behind the others.
    A message that cannot be opened is settled as STORE_REFUSED.
    """
    c = quarantine.c
    due = (
        select(c.quarantine_id)
        .where(
            c.replay_asked_at.is_not(None),
            c.account_id.is_not(None),
            or_(c.replayed_at.is_(None), c.replayed_at <= now - REPLAY_LEASE),
        )
        .order_by(func.greatest(c.replay_asked_at, c.replayed_at), c.received_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    rows = session.execute(
        update(quarantine)
        .where(c.quarantine_id.in_(due.scalar_subquery()))
        .values(replayed_at=now)
        .returning(quarantine)
    ).all()
    taken = []
    for row in sorted(rows, key=lambda row: (row.received_at, row.quarantine_id)):
        try:
            payload, query, headers = opened(sealer, row)
        except Misconfigured:
            settle_replay(session, row.quarantine_id, Reason.STORE_REFUSED, UNREADABLE, now)
            continue
        taken.append(
            Replay(
                quarantine_id=row.quarantine_id,
                account_id=row.account_id,
                origin_id=row.origin_id or row.device_id,
                device_id=row.device_id,
                dialect=row.dialect,
                topic=row.topic,
                payload=payload,
                query=query,
                headers=headers,
                retained=row.retained,
                received_at=row.received_at,
            )
        )
    return taken


def settle_replay(
    session: Session, quarantine_id: str, refused: Reason | None, detail: str, now: datetime
) -> None:
    """End a trial: the message goes if it was taken (`refused` None), else it stays with the new reason."""
    if refused is None:
        session.execute(delete(quarantine).where(quarantine.c.quarantine_id == quarantine_id))
        return
    session.execute(
        update(quarantine)
        .where(quarantine.c.quarantine_id == quarantine_id)
        .values(reason=refused.value, detail=detail[:200], replay_asked_at=None, replayed_at=now)
    )


def forget_old(session: Session, now: datetime) -> None:
    """Delete what was refused more than 14 days ago."""
    session.execute(delete(quarantine).where(quarantine.c.received_at < now - KEEP_FOR))


def chosen(
    account_id: str | None,
    reason: Reason | None = None,
    device_id: str | None = None,
    origin_id: str | None = None,
    external_id: str | None = None,
) -> list[ColumnElement[bool]]:
    """Return the conditions on a message: the account first (None: any that has one), then what is given."""
    c = quarantine.c
    conditions = [c.account_id.is_not(None) if account_id is None else c.account_id == account_id]
    for column, wanted in (
        (c.reason, reason.value if reason else None),
        (c.device_id, device_id),
        (c.origin_id, origin_id),
        (c.external_id, external_id),
    ):
        if wanted is not None:
            conditions.append(column == wanted)
    return conditions


def require_condition(conditions: Sequence[ColumnElement[bool]]) -> None:
    """Pass if more than the account was named.

    Raises:
        Invalid: it was not; a slip must not touch everything.
    """
    if len(conditions) == 1:
        raise Invalid(("reason", "this field is required"))


def opened(sealer: Sealer, row: Row[Any]) -> tuple[bytes, str, dict[str, str]]:
    """Return the payload, and of an HTTP message the query and the headers, of a row of the table.

    Raises:
        Misconfigured: it was sealed with another secret key.
    """
    context = f"quarantine/{row.quarantine_id}"
    payload = sealer.open(row.sealed, context=context)
    if row.request_sealed is None:
        return payload, "", {}
    query, headers = json.loads(sealer.open(row.request_sealed, context=f"{context}/request"))
    return payload, query, headers


def _ask(session: Session, conditions: Sequence[ColumnElement[bool]], now: datetime) -> int:
    c = quarantine.c
    asked = session.execute(
        update(quarantine)
        .where(*conditions, c.size_bytes <= PAYLOAD_BYTES)
        .values(
            # One that waits, or is being tried this moment, keeps its place and its lease.
            replay_asked_at=func.coalesce(c.replay_asked_at, now),
            replayed_at=case((c.replay_asked_at.is_(None), null()), else_=c.replayed_at),
        )
        .returning(c.quarantine_id)
    ).all()
    if asked:
        session.execute(text("SELECT pg_notify(:channel, '')"), {"channel": REPLAY_CHANNEL})
    return len(asked)
