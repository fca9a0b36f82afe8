"""Answers to unsafe calls that carried an Idempotency-Key, kept sealed for a day."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Column, Integer, LargeBinary, Table, delete, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from tracker.store.schema import Id, metadata, moment
from tracker.store.seal import Sealer
from tracker.store.session import Session

KEEP_FOR = timedelta(days=1)

idempotency = Table(
    "idempotency",
    metadata,
    Column("account_id", Id, primary_key=True, autoincrement=False),
    Column("key_hash", LargeBinary, primary_key=True),
    Column("request_hash", LargeBinary, nullable=False),
    Column("status", Integer),
    Column("sealed", LargeBinary),
    moment("created_at"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """What an earlier call with the same key was and was answered."""

    request_hash: bytes
    status: int
    body: str


def begin(session: Session, account_id: str, key_hash: bytes, request_hash: bytes, now: datetime) -> bool:
    """Claim a key; True if this call is the first. A concurrent twin waits here until the first has ended."""
    claimed = session.execute(
        upsert(idempotency)
        .values(account_id=account_id, key_hash=key_hash, request_hash=request_hash, created_at=now)
        .on_conflict_do_nothing()
        .returning(idempotency.c.key_hash)
    ).one_or_none()
    return claimed is not None


def give_back(session: Session, account_id: str, key_hash: bytes) -> None:
    """Free a key that this transaction claimed, for a call that did nothing."""
    session.execute(
        delete(idempotency).where(idempotency.c.account_id == account_id, idempotency.c.key_hash == key_hash)
    )


def _context(account_id: str, key_hash: bytes) -> str:
    return f"idempotency/{account_id}/{key_hash.hex()}"


def finish(
    session: Session, sealer: Sealer, account_id: str, key_hash: bytes, status: int, body: str
) -> None:
    """Keep the answer of the first call."""
    session.execute(
        update(idempotency)
        .where(idempotency.c.account_id == account_id, idempotency.c.key_hash == key_hash)
        .values(
            status=status,
            sealed=sealer.seal(json.dumps(body).encode(), context=_context(account_id, key_hash)),
        )
    )


def earlier(session: Session, sealer: Sealer, account_id: str, key_hash: bytes) -> Earlier:
    """Return the answer of the call that claimed the key."""
    row = session.execute(
        select(idempotency).where(idempotency.c.account_id == account_id, idempotency.c.key_hash == key_hash)
    ).one()
    body = json.loads(sealer.open(row.sealed, context=_context(account_id, key_hash)))
    return Earlier(request_hash=row.request_hash, status=row.status, body=body)


def forget_old(session: Session, now: datetime) -> None:
    """Delete answers older than a day."""
    session.execute(delete(idempotency).where(idempotency.c.created_at < now - KEEP_FOR))
