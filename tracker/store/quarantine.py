"""Messages that could not be taken: kept sealed for the operator, with a reason, bounded, counted."""

from datetime import datetime, timedelta

from sqlalchemy import Boolean, Column, LargeBinary, Table, Text, delete, false, func, insert, select

from tracker.domain.errors import Reason
from tracker.domain.ids import new_id
from tracker.store.schema import Id, metadata, moment
from tracker.store.seal import Sealer
from tracker.store.session import Session

KEEP_FOR = timedelta(days=14)
PAYLOAD_BYTES = 16_384

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
    Column("origin_id", Id),
    Column("external_id", Text),
    Column("retained", Boolean, nullable=False, server_default=false()),
    moment("replayed_at", nullable=True),
    moment("received_at", index=True),
)


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
) -> None:
    """Keep a refused message; of the payload the first 16 KiB, sealed, of the topic 200 characters."""
    quarantine_id = new_id()
    session.execute(
        insert(quarantine).values(
            quarantine_id=quarantine_id,
            account_id=account_id,
            device_id=device_id,
            reason=reason.value,
            detail=detail[:200],
            topic=topic[:200].replace("\0", "\ufffd"),
            sealed=sealer.seal(payload[:PAYLOAD_BYTES], context=f"quarantine/{quarantine_id}"),
            received_at=received_at,
        )
    )


def counts(session: Session) -> dict[str, int]:
    """Return how many messages lie in quarantine, by reason."""
    rows = session.execute(select(quarantine.c.reason, func.count()).group_by(quarantine.c.reason))
    return {row[0]: row[1] for row in rows}


def forget_old(session: Session, now: datetime) -> None:
    """Delete what was refused more than 14 days ago."""
    session.execute(delete(quarantine).where(quarantine.c.received_at < now - KEEP_FOR))
