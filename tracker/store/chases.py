"""Live chases after an escape, each with its own end."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import REAL, Column, ForeignKeyConstraint, Index, Integer, Row, Table, Text, select, text

from tracker.domain.errors import NotFound
from tracker.store.schema import Id, metadata, moment
from tracker.store.session import Session

chases = Table(
    "chases",
    metadata,
    Column("account_id", Id, primary_key=True, autoincrement=False),
    Column("chase_id", Id, primary_key=True, autoincrement=False),
    Column("event_id", Id, nullable=False),
    Column("device_id", Id, nullable=False),
    Column("report_every_s", Integer, nullable=False),
    Column("battery_start_pct", REAL),
    Column("battery_least_pct", REAL, nullable=False),
    moment("started_at"),
    moment("ends_at"),
    moment("ended_at", nullable=True),
    Column("reason", Text),
    ForeignKeyConstraint(
        ["account_id", "event_id"], ["events.account_id", "events.event_id"], ondelete="CASCADE"
    ),
    Index("uq_chases_account_id_event_id", "account_id", "event_id", unique=True),
    Index("ix_chases_ends_at", "ends_at", postgresql_where=text("ended_at IS NULL")),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chase:
    """A stretch of frequent reports after an escape.

    It ends at `ends_at`, or `ended_at` for `reason`; below `battery_least_pct` it is given up.
    """

    account_id: str
    chase_id: str
    event_id: str
    device_id: str
    report_every_s: int
    battery_start_pct: float | None
    battery_least_pct: float
    started_at: datetime
    ends_at: datetime
    ended_at: datetime | None = None
    reason: str | None = None


def value(row: Row[Any]) -> Chase:
    """Return the chase of a row."""
    return Chase(
        account_id=row.account_id,
        chase_id=row.chase_id,
        event_id=row.event_id,
        device_id=row.device_id,
        report_every_s=row.report_every_s,
        battery_start_pct=row.battery_start_pct,
        battery_least_pct=row.battery_least_pct,
        started_at=row.started_at,
        ends_at=row.ends_at,
        ended_at=row.ended_at,
        reason=row.reason,
    )


def of_event(session: Session, account_id: str, event_id: str) -> Chase:
    """Return the chase that an event began.

    Raises:
        NotFound: this account has no such event, or it began none.
    """
    row = session.execute(
        select(chases).where(chases.c.account_id == account_id, chases.c.event_id == event_id)
    ).one_or_none()
    if row is None:
        raise NotFound("chase")
    return value(row)
