"""Devices that a gateway or source speaks of and nobody has adopted yet."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, Column, ForeignKeyConstraint, Row, Table, Text, delete, func, select, text

from tracker.domain.gateway import Unclaimed
from tracker.store.schema import Id, id_to_int, metadata, moment
from tracker.store.session import Session

UNCLAIMED_PER_ORIGIN = 200
EXTERNAL_ID_LENGTH = 128
KEEP_FOR = timedelta(days=30)

unclaimed = Table(
    "unclaimed",
    metadata,
    Column("account_id", Id, primary_key=True, autoincrement=False),
    Column("origin_id", Id, primary_key=True, autoincrement=False),
    Column("external_id", Text, primary_key=True),
    Column("dialect", Text, nullable=False),
    moment("first_heard_at"),
    moment("last_heard_at"),
    Column("messages", BigInteger, nullable=False),
    ForeignKeyConstraint(["account_id"], ["accounts.account_id"], ondelete="CASCADE"),
)


def value(row: Row[Any]) -> Unclaimed:
    """Return the unclaimed device of a row."""
    return Unclaimed(
        account_id=row.account_id,
        origin_id=row.origin_id,
        external_id=row.external_id,
        dialect=row.dialect,
        first_heard_at=row.first_heard_at,
        last_heard_at=row.last_heard_at,
        messages=row.messages,
    )


_NOTE = text(
    "INSERT INTO unclaimed AS u"
    " (account_id, origin_id, external_id, dialect, first_heard_at, last_heard_at, messages)"
    " SELECT :account, :origin, :name, :dialect, :now, :now, :count"
    " WHERE (SELECT count(*) FROM unclaimed WHERE account_id = :account AND origin_id = :origin"
    " AND external_id <> :name) < :most"
    " ON CONFLICT (account_id, origin_id, external_id) DO UPDATE SET"
    " last_heard_at = greatest(u.last_heard_at, excluded.last_heard_at),"
    " messages = u.messages + excluded.messages, dialect = excluded.dialect"
)


def note(
    session: Session,
    account_id: str,
    origin_id: str,
    external_id: str,
    dialect: str,
    count: int,
    now: datetime,
) -> None:
    """Note that `count` messages of one unknown device came by a gateway or source.

    An origin keeps at most 200 of them (a few more if several processes write at once): further names are not
    noted until some are adopted or forgotten. Names that no device of ours can have, being empty, longer than
    128 characters or holding NUL, are not noted either.
    """
    if not external_id or len(external_id) > EXTERNAL_ID_LENGTH or "\0" in external_id:
        return
    session.execute(
        _NOTE,
        {
            "account": id_to_int(account_id),
            "origin": id_to_int(origin_id),
            "name": external_id,
            "dialect": dialect,
            "count": count,
            "now": now,
            "most": UNCLAIMED_PER_ORIGIN,
        },
    )


def called(session: Session, account_id: str, external_id: str) -> list[Unclaimed]:
    """Return what the account's origins call by this name, in whatever case, last heard first; often none."""
    rows = session.execute(
        select(unclaimed)
        .where(
            unclaimed.c.account_id == account_id,
            func.lower(unclaimed.c.external_id) == func.lower(external_id),
        )
        .order_by(unclaimed.c.last_heard_at.desc())
    )
    return [value(row) for row in rows]


def remove_claimed(session: Session, account_id: str, external_id: str) -> None:
    """Forget a name, in whatever case, at every origin of the account: a device of it has taken the name."""
    session.execute(
        delete(unclaimed).where(
            unclaimed.c.account_id == account_id,
            func.lower(unclaimed.c.external_id) == func.lower(external_id),
        )
    )


def remove_of_origin(session: Session, account_id: str, origin_id: str) -> None:
    """Forget everything that a gateway or source spoke of."""
    session.execute(
        delete(unclaimed).where(unclaimed.c.account_id == account_id, unclaimed.c.origin_id == origin_id)
    )


def forget_old(session: Session, now: datetime) -> None:
    """Delete what was not heard of for 30 days."""
    session.execute(delete(unclaimed).where(unclaimed.c.last_heard_at < now - KEEP_FOR))
