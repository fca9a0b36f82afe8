"""What devices told besides positions, and how far each native stream is committed."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Column, Table, Text, delete, literal_column
from sqlalchemy.dialects.postgresql import INT8MULTIRANGE, JSONB, Range
from sqlalchemy.dialects.postgresql import insert as upsert

from tracker.domain.position import Fact
from tracker.store.schema import Id, metadata, moment
from tracker.store.session import Session

facts = Table(
    "facts",
    metadata,
    Column("account_id", Id, primary_key=True, autoincrement=False),
    Column("device_id", Id, primary_key=True, autoincrement=False),
    Column("kind", Text, primary_key=True),
    moment("recorded_at", primary_key=True),
    moment("received_at"),
    Column("data", JSONB, nullable=False),
)

streams = Table(
    "streams",
    metadata,
    Column("account_id", Id, primary_key=True, autoincrement=False),
    Column("device_id", Id, primary_key=True, autoincrement=False),
    Column("boot", Text, primary_key=True),
    Column("received", INT8MULTIRANGE, nullable=False),
    moment("changed_at"),
)


def add(session: Session, account_id: str, device_id: str, fact: Fact, received_at: datetime) -> None:
    """Store a fact; the same (device, kind, moment) twice is stored once."""
    session.execute(
        upsert(facts)
        .values(
            account_id=account_id,
            device_id=device_id,
            kind=fact.kind,
            recorded_at=fact.recorded_at,
            received_at=received_at,
            data=dict(fact.data),
        )
        .on_conflict_do_nothing()
    )


def commit_marks(
    session: Session, account_id: str, device_id: str, boot: str, seqs: Iterable[int], now: datetime
) -> int | None:
    """Add sequence numbers to what one boot's stream has committed; return the last of the unbroken run.

    The run begins at 1; None while that is missing. A number 0 is stored, but no promise covers it. It is
    the promise "everything up to here is committed": a hole, left by a broker that forgot what it had
    acknowledged, holds it back until the device has sent the hole again.
    """
    seen = [Range(seq, seq + 1) for seq in sorted(set(seqs))]
    statement = upsert(streams).values(
        account_id=account_id, device_id=device_id, boot=boot, received=seen, changed_at=now
    )
    merged = session.execute(
        statement.on_conflict_do_update(
            index_elements=["account_id", "device_id", "boot"],
            set_={
                "received": literal_column("streams.received + excluded.received"),
                "changed_at": statement.excluded.changed_at,
            },
        ).returning(streams.c.received)
    ).scalar_one()
    first = merged[0]
    return int(first.upper) - 1 if first.lower is not None and first.lower <= 1 else None


def remove_of_device(session: Session, account_id: str, device_id: str) -> None:
    """Delete everything a device told besides positions, and how far its streams were committed."""
    for table in (facts, streams):
        session.execute(delete(table).where(table.c.account_id == account_id, table.c.device_id == device_id))
