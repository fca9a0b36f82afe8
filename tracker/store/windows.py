"""What assembling dialects last said of each device, and which of it waits to become a position."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Column, ForeignKeyConstraint, Index, Row, Select, Table, Text, select, tuple_
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.dialects.postgresql import insert as upsert

from tracker.domain.window import Window
from tracker.store.schema import Id, metadata, moment
from tracker.store.session import Session

windows = Table(
    "windows",
    metadata,
    Column("account_id", Id, primary_key=True, autoincrement=False),
    Column("device_id", Id, primary_key=True, autoincrement=False),
    Column("dialect", Text, nullable=False),
    Column("parts", JSONB, nullable=False),
    Column("fresh", ARRAY(Text), nullable=False),
    moment("received_at"),
    moment("due_at", nullable=True),
    ForeignKeyConstraint(
        ["account_id", "device_id"], ["devices.account_id", "devices.device_id"], ondelete="CASCADE"
    ),
    Index("ix_windows_due_at", "due_at"),
)

Key = tuple[str, str]
"""Account id and device id."""


def load(session: Session, keys: Collection[Key]) -> dict[Key, Window]:
    """Return the windows of these devices, locked in device order until the end of the transaction."""
    key = tuple_(windows.c.account_id, windows.c.device_id)
    return _locked(session, select(windows).where(key.in_(sorted(keys))), skip=False)


def load_due(session: Session, now: datetime, limit: int) -> dict[Key, Window]:
    """Return up to `limit` windows that are due, locked; those that another process has are left to it."""
    due = select(windows).where(windows.c.due_at <= now).limit(limit)
    return _locked(session, due, skip=True)


def save(session: Session, changed: Mapping[Key, Window]) -> None:
    """Store windows, new ones and present ones."""
    if not changed:
        return
    statement = upsert(windows)
    names = ("dialect", "parts", "fresh", "received_at", "due_at")
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["account_id", "device_id"],
            set_={name: statement.excluded[name] for name in names},
        ),
        [
            {
                "account_id": account_id,
                "device_id": device_id,
                "dialect": window.dialect,
                "parts": dict(window.values),
                "fresh": sorted(window.fresh),
                "received_at": window.received_at,
                "due_at": window.due_at,
            }
            for (account_id, device_id), window in sorted(changed.items())
        ],
    )


def _locked(session: Session, query: Select[Any], *, skip: bool) -> dict[Key, Window]:
    ordered = query.order_by(windows.c.account_id, windows.c.device_id)
    rows = session.execute(ordered.with_for_update(skip_locked=skip))
    return {(row.account_id, row.device_id): _value(row) for row in rows}


def _value(row: Row[Any]) -> Window:
    return Window(
        dialect=row.dialect,
        received_at=row.received_at,
        values=row.parts,
        fresh=frozenset(row.fresh),
        due_at=row.due_at,
    )
