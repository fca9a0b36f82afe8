"""Notifications: recorded with their cause, claimed by lease, sent outside any transaction."""

import json
from datetime import datetime, timedelta

from sqlalchemy import Column, Integer, LargeBinary, Table, Text, delete, func, insert, or_, select, update

from tracker.domain.errors import Misconfigured
from tracker.domain.ids import new_id
from tracker.domain.notification import Claimed, Notification
from tracker.store.schema import Id, metadata, moment
from tracker.store.seal import Sealer
from tracker.store.session import Session

OUTBOX_CHANNEL = "tracker_outbox"
"""NOTIFY channel: there is something to send."""

LEASE = timedelta(seconds=60)
KEEP_FOR = timedelta(days=2)

outbox = Table(
    "outbox",
    metadata,
    Column("account_id", Id),
    Column("outbox_id", Id, primary_key=True, autoincrement=False),
    Column("channel", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("sealed", LargeBinary),
    Column("attempts", Integer, nullable=False, server_default="0"),
    moment("created_at"),
    moment("due_at", index=True),
    moment("expires_at"),
    moment("claimed_until", nullable=True),
    moment("settled_at", nullable=True),
    Column("outcome", Text),
)


def put(session: Session, notification: Notification, sealer: Sealer, now: datetime) -> str:
    """Record a notification to be sent after the commit; address and arguments are sealed. Returns its id."""
    outbox_id = new_id()
    body = {"to": notification.to, "locale": notification.locale, "args": dict(notification.args)}
    session.execute(
        insert(outbox).values(
            account_id=notification.account_id,
            outbox_id=outbox_id,
            channel=notification.channel,
            kind=notification.kind,
            sealed=sealer.seal(json.dumps(body).encode(), context=f"outbox/{outbox_id}"),
            created_at=now,
            due_at=now,
            expires_at=notification.expires_at,
        )
    )
    session.execute(select(func.pg_notify(OUTBOX_CHANNEL, "")))
    return outbox_id


def claim(session: Session, sealer: Sealer, now: datetime, limit: int = 50) -> list[Claimed]:
    """Take up to `limit` due notifications by a lease of 60 s; no other worker gets them meanwhile.

    Expired ones are settled as "expired", those of another secret key as "unreadable". A lease
    that ran out is due again, one attempt richer.
    """
    session.execute(
        update(outbox)
        .where(outbox.c.settled_at.is_(None), outbox.c.expires_at <= now)
        .values(settled_at=now, outcome="expired", sealed=None)
    )
    due = (
        select(outbox.c.outbox_id)
        .where(
            outbox.c.settled_at.is_(None),
            outbox.c.due_at <= now,
            or_(outbox.c.claimed_until.is_(None), outbox.c.claimed_until <= now),
        )
        .order_by(outbox.c.due_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    rows = session.execute(
        update(outbox)
        .where(outbox.c.outbox_id.in_(due.scalar_subquery()))
        .values(claimed_until=now + LEASE, attempts=outbox.c.attempts + 1)
        .returning(outbox)
    ).all()
    claimed = []
    for row in rows:
        try:
            body = json.loads(sealer.open(row.sealed, context=f"outbox/{row.outbox_id}"))
        except Misconfigured:
            # Sealed with an earlier secret key: nobody can send it, and it must not stall the others.
            settle(session, row.outbox_id, "unreadable", now)
            continue
        claimed.append(
            Claimed(
                outbox_id=row.outbox_id,
                attempts=row.attempts,
                notification=Notification(
                    channel=row.channel,
                    kind=row.kind,
                    to=body["to"],
                    locale=body["locale"],
                    args=body["args"],
                    expires_at=row.expires_at,
                    account_id=row.account_id,
                ),
            )
        )
    return claimed


def settle(session: Session, outbox_id: str, outcome: str, now: datetime) -> None:
    """End a notification with its outcome ("sent", "refused: ..."); its sealed content is forgotten."""
    session.execute(
        update(outbox)
        .where(outbox.c.outbox_id == outbox_id)
        .values(settled_at=now, outcome=outcome, sealed=None, claimed_until=None)
    )


def retry(session: Session, outbox_id: str, due_at: datetime) -> None:
    """Give a notification back, due again at `due_at`."""
    session.execute(
        update(outbox).where(outbox.c.outbox_id == outbox_id).values(due_at=due_at, claimed_until=None)
    )


def next_due(session: Session) -> datetime | None:
    """Return when the earliest unsettled notification is due, or None."""
    due: datetime | None = session.execute(
        select(func.min(outbox.c.due_at)).where(outbox.c.settled_at.is_(None))
    ).scalar_one()
    return due


def forget_settled(session: Session, now: datetime) -> None:
    """Delete what was settled more than two days ago."""
    session.execute(delete(outbox).where(outbox.c.settled_at < now - KEEP_FOR))
