"""Files of positions being read into a device's history, and the door by which history comes in."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, cast

import psycopg
from sqlalchemy import (
    BigInteger,
    Column,
    Exists,
    ForeignKeyConstraint,
    Index,
    Row,
    ScalarSelect,
    Table,
    Text,
    exists,
    func,
    insert,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB

from tracker.domain.errors import NotFound, Refused
from tracker.domain.position import Placed
from tracker.store import fence_states
from tracker.store.devices import devices
from tracker.store.geo import to_ewkb
from tracker.store.positions_arrays import COLUMNS
from tracker.store.schema import Id, id_to_int, metadata, moment
from tracker.store.session import Session

IMPORTS_CHANNEL = "tracker_imports"
"""NOTIFY channel: a file waits to be read."""
COMMAND = "command"
"""Holder of an import that a command reads from a file of its own; the worker leaves it alone."""
LEASE = timedelta(minutes=1)

imports = Table(
    "imports",
    metadata,
    Column("account_id", Id, primary_key=True, autoincrement=False),
    Column("import_id", Id, primary_key=True, autoincrement=False),
    Column("device_id", Id, nullable=False),
    Column("format", Text, nullable=False),
    Column("file_name", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("read_bytes", BigInteger, nullable=False, server_default=text("0")),
    Column("positions_read", BigInteger, nullable=False, server_default=text("0")),
    Column("positions_new", BigInteger, nullable=False, server_default=text("0")),
    Column("refused", BigInteger, nullable=False, server_default=text("0")),
    Column("state", Text, nullable=False),
    Column("detail", JSONB, nullable=False, server_default=text("'{}'")),
    moment("created_at"),
    moment("changed_at"),
    Column("holder", Text),
    moment("held_until", nullable=True),
    ForeignKeyConstraint(
        ["account_id", "device_id"], ["devices.account_id", "devices.device_id"], ondelete="CASCADE"
    ),
    Index("ix_imports_state", "state"),
)


class ImportState(StrEnum):
    """How far an import is; the last three are final."""

    QUEUED = "queued"
    READING = "reading"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


UNFINISHED = (ImportState.QUEUED, ImportState.READING)


class Superseded(Refused):
    """Another process reads this import, or it was cancelled: stop reading."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """One file on its way into a device's history; `digest` is its SHA-256 in hexadecimal.

    `positions_read` and `refused` count the file's records so far, `positions_new` those not known before.
    `detail` says why records were refused and, with `ending`, why the rest could not be read.
    """

    account_id: str
    import_id: str
    device_id: str
    format: str
    file_name: str
    digest: str
    size_bytes: int
    state: ImportState
    created_at: datetime
    changed_at: datetime
    read_bytes: int = 0
    positions_read: int = 0
    positions_new: int = 0
    refused: int = 0
    detail: dict[str, Any] = field(default_factory=dict)

    @property
    def records(self) -> int:
        """How many records of the file were taken in."""
        return self.positions_read + self.refused


def value(row: Row[Any]) -> Import:
    """Return the import of a row."""
    return Import(
        account_id=row.account_id,
        import_id=row.import_id,
        device_id=row.device_id,
        format=row.format,
        file_name=row.file_name,
        digest=row.digest,
        size_bytes=row.size_bytes,
        state=ImportState(row.state),
        created_at=row.created_at,
        changed_at=row.changed_at,
        read_bytes=row.read_bytes,
        positions_read=row.positions_read,
        positions_new=row.positions_new,
        refused=row.refused,
        detail=row.detail,
    )


def add(session: Session, new: Import, *, holder: str | None = None) -> None:
    """Store a new import and, unless somebody holds it, tell the worker."""
    session.execute(
        insert(imports).values(
            account_id=new.account_id,
            import_id=new.import_id,
            device_id=new.device_id,
            format=new.format,
            file_name=new.file_name,
            digest=new.digest,
            size_bytes=new.size_bytes,
            state=new.state.value,
            detail=new.detail,
            created_at=new.created_at,
            changed_at=new.changed_at,
            holder=holder,
        )
    )
    if holder is None:
        session.execute(select(func.pg_notify(IMPORTS_CHANNEL, "")))


def get(session: Session, account_id: str, import_id: str) -> Import:
    """Return one import of the account.

    Raises:
        NotFound: this account has no such import.
    """
    row = session.execute(
        select(imports).where(imports.c.account_id == account_id, imports.c.import_id == import_id)
    ).one_or_none()
    if row is None:
        raise NotFound("import")
    return value(row)


def of_account(
    session: Session, account_id: str, *, after: tuple[datetime, str] | None = None, limit: int = 100
) -> list[Import]:
    """Return up to `limit` imports of an account, newest first, those behind (created_at, id) `after`."""
    query = select(imports).where(imports.c.account_id == account_id)
    if after:
        query = query.where(
            or_(
                imports.c.created_at < after[0],
                (imports.c.created_at == after[0]) & (imports.c.import_id > after[1]),
            )
        )
    rows = session.execute(query.order_by(imports.c.created_at.desc(), imports.c.import_id).limit(limit))
    return [value(row) for row in rows]


def count_unfinished(session: Session, account_id: str) -> int:
    """Return how many imports of an account wait or are being read."""
    found: int = session.execute(
        select(func.count())
        .select_from(imports)
        .where(imports.c.account_id == account_id, imports.c.state.in_(UNFINISHED))
    ).scalar_one()
    return found


def unfinished_ids(session: Session) -> set[str]:
    """Return the ids of all imports that wait or are being read: their files are still needed."""
    return set(session.execute(select(imports.c.import_id).where(imports.c.state.in_(UNFINISHED))).scalars())


def resumable(session: Session, account_id: str, device_id: str, digest: str, format_: str) -> Import | None:
    """Return a command's import of the same file that was interrupted, the newest."""
    row = session.execute(
        select(imports)
        .where(
            imports.c.account_id == account_id,
            imports.c.device_id == device_id,
            imports.c.digest == digest,
            imports.c.format == format_,
            imports.c.state == ImportState.READING,
            imports.c.holder == COMMAND,
        )
        .order_by(imports.c.created_at.desc())
        .limit(1)
    ).one_or_none()
    return value(row) if row else None


def claim(session: Session, holder: str, now: datetime) -> Import | None:
    """Take an import that waits, or whose reader fell silent, for a minute; None without one.

    An account of which another holder reads an import waits. The next is of the account that has waited
    longest since it handed in its oldest file or, if later, since a reader last touched one of its imports;
    of that account it is the oldest. Claims wait for one another until the end of the transaction.
    """
    # Without this, two that look at once would each take an import of the same account.
    session.execute(text("SELECT pg_advisory_xact_lock(hashtext('imports claim'))"))
    free = or_(imports.c.holder.is_(None), imports.c.holder == holder, imports.c.held_until < now)
    row = session.execute(
        select(imports)
        .where(
            imports.c.state.in_(UNFINISHED),
            imports.c.holder.is_distinct_from(COMMAND),
            free,
            ~_is_read_by_another(holder, now),
        )
        .order_by(
            func.greatest(imports.c.created_at, _touched_at()), imports.c.created_at, imports.c.import_id
        )
        .limit(1)
        .with_for_update(skip_locked=True, of=imports)
    ).one_or_none()
    if row is None:
        return None
    session.execute(
        update(imports)
        .where(imports.c.account_id == row.account_id, imports.c.import_id == row.import_id)
        .values(state=ImportState.READING, holder=holder, held_until=now + LEASE, changed_at=now)
    )
    return get(session, row.account_id, row.import_id)


def _is_read_by_another(holder: str, now: datetime) -> Exists:
    """Tell of an import whether another holder reads one of the same account."""
    other = imports.alias()
    return exists().where(
        other.c.account_id == imports.c.account_id,
        other.c.state == ImportState.READING,
        other.c.holder.not_in([holder, COMMAND]),
        other.c.held_until >= now,
    )


def _touched_at() -> ScalarSelect[datetime]:
    """Return when a reader last began, went on with or ended an import of the same account; null if never."""
    other = imports.alias()
    return (
        select(func.max(other.c.changed_at))
        .where(other.c.account_id == imports.c.account_id, other.c.holder != COMMAND)
        .scalar_subquery()
    )


def advance(session: Session, before: Import, after: Import, *, holder: str, now: datetime) -> None:
    """Store how far an import is, and keep it for another minute; `after` may be its end.

    Raises:
        Superseded: it is no longer where `before` says: cancelled, deleted, or read by another.
    """
    done = session.execute(
        update(imports)
        .where(
            imports.c.account_id == before.account_id,
            imports.c.import_id == before.import_id,
            imports.c.state == ImportState.READING,
            imports.c.holder == holder,
            imports.c.positions_read + imports.c.refused == before.records,
        )
        .values(
            state=after.state.value,
            read_bytes=after.read_bytes,
            positions_read=after.positions_read,
            positions_new=after.positions_new,
            refused=after.refused,
            detail=after.detail,
            held_until=now + LEASE,
            changed_at=now,
        )
        .returning(imports.c.import_id)
    )
    if done.one_or_none() is None:
        raise Superseded("the import was cancelled, or another process reads it")


def release(session: Session, held: Import, *, holder: str, now: datetime) -> None:
    """Let another reader go on with an import at once."""
    session.execute(
        update(imports)
        .where(
            imports.c.account_id == held.account_id,
            imports.c.import_id == held.import_id,
            imports.c.holder == holder,
        )
        .values(held_until=now - LEASE)
    )
    session.execute(select(func.pg_notify(IMPORTS_CHANNEL, "")))


def cancel(session: Session, account_id: str, import_id: str, now: datetime) -> None:
    """End an import that is not finished; what was read stays. One that is finished stays as it is.

    Raises:
        NotFound: this account has no such import.
    """
    get(session, account_id, import_id)
    session.execute(
        update(imports)
        .where(
            imports.c.account_id == account_id,
            imports.c.import_id == import_id,
            imports.c.state.in_(UNFINISHED),
        )
        .values(state=ImportState.CANCELLED, changed_at=now)
    )


_STAGE = """
CREATE TEMP TABLE IF NOT EXISTS stage_history (LIKE positions INCLUDING DEFAULTS) ON COMMIT DELETE ROWS
"""
_APPEND = f"""
INSERT INTO positions ({COLUMNS}) SELECT {COLUMNS} FROM stage_history ON CONFLICT DO NOTHING
"""  # noqa: S608 - names of columns, no input


def append_history(session: Session, batch: Sequence[Placed]) -> int:
    """Store positions of one device without telling anybody; return how many were new.

    The last position does not move and nothing is notified: an import does both once, at its end, by
    `positions.append`. Fences and rules are told by a correction. The partitions must exist.

    Raises:
        Superseded: the device was removed meanwhile.
    """
    if not batch:
        return 0
    lock_device(session, batch[0].account_id, batch[0].device_id)
    # `Database` builds no engine but psycopg's.
    connection = cast("psycopg.Connection[Any]", session.connection().connection.dbapi_connection)
    with connection.cursor() as cursor:
        cursor.execute(_STAGE)
        with cursor.copy(f"COPY stage_history ({COLUMNS}) FROM STDIN") as copy:
            for placed in batch:
                copy.write_row(_row(placed))
        cursor.execute(_APPEND)
        new = cursor.rowcount
        cursor.execute("TRUNCATE stage_history")
    if new:
        fence_states.ask_correction_of_history(session, batch)
    return new


def _row(placed: Placed) -> tuple[object, ...]:
    """Return a position as COPY takes it, in the order of COLUMNS."""
    fix = placed.position
    return (
        id_to_int(placed.account_id),
        id_to_int(placed.device_id),
        fix.recorded_at,
        placed.received_at,
        to_ewkb(fix.at).hex(),
        *(fix.odometer_m, fix.accuracy_m, fix.altitude_m, fix.speed_mps, fix.course_deg, fix.battery_pct),
        *(fix.hdop, fix.satellites, fix.charging, fix.ignition, fix.motion, fix.trigger),
        json.dumps(dict(fix.network)) if fix.network else None,
        json.dumps(dict(fix.attrs)) if fix.attrs else None,
    )


def lock_device(session: Session, account_id: str, device_id: str) -> None:
    """Keep a device from being removed until the end of the transaction.

    Raises:
        Superseded: it is removed already.
    """
    found = session.execute(
        select(devices.c.device_id)
        .where(devices.c.account_id == account_id, devices.c.device_id == device_id)
        .with_for_update(read=True, key_share=True)
    )
    if found.one_or_none() is None:
        raise Superseded("the device was removed")
