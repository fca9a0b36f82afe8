"""What an account wants not to be told of until some moment."""

from datetime import datetime
from typing import Any

from sqlalchemy import Column, ForeignKeyConstraint, Index, Row, Table, delete, insert, select

from tracker.domain.notification import Mute
from tracker.store.schema import Id, metadata, moment
from tracker.store.session import Session

mutes = Table(
    "mutes",
    metadata,
    Column("account_id", Id, primary_key=True, autoincrement=False),
    Column("mute_id", Id, primary_key=True, autoincrement=False),
    Column("rule_id", Id),
    Column("subject_id", Id),
    Column("geofence_id", Id),
    moment("until"),
    moment("created_at"),
    ForeignKeyConstraint(["account_id"], ["accounts.account_id"], ondelete="CASCADE"),
    Index("ix_mutes_until", "until"),
)


def value(row: Row[Any]) -> Mute:
    """Return the mute of a row."""
    return Mute(
        account_id=row.account_id,
        mute_id=row.mute_id,
        rule_id=row.rule_id,
        subject_id=row.subject_id,
        geofence_id=row.geofence_id,
        until=row.until,
        created_at=row.created_at,
    )


def add(session: Session, mute: Mute) -> None:
    """Store a new mute."""
    session.execute(
        insert(mutes).values(
            account_id=mute.account_id,
            mute_id=mute.mute_id,
            rule_id=mute.rule_id,
            subject_id=mute.subject_id,
            geofence_id=mute.geofence_id,
            until=mute.until,
            created_at=mute.created_at,
        )
    )


def in_force(session: Session, account_id: str, now: datetime) -> list[Mute]:
    """Return the account's mutes that have not ended, the first to end first."""
    rows = session.execute(
        select(mutes)
        .where(mutes.c.account_id == account_id, mutes.c.until > now)
        .order_by(mutes.c.until, mutes.c.mute_id)
    )
    return [value(row) for row in rows]


def remove(session: Session, account_id: str, mute_id: str) -> bool:
    """Delete a mute; tell whether there was one."""
    gone = session.execute(
        delete(mutes)
        .where(mutes.c.account_id == account_id, mutes.c.mute_id == mute_id)
        .returning(mutes.c.mute_id)
    ).one_or_none()
    return gone is not None


def forget_ended(session: Session, now: datetime) -> None:
    """Delete the mutes that have ended."""
    session.execute(delete(mutes).where(mutes.c.until <= now))
