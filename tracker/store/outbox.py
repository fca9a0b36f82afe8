"""Notifications: recorded with their cause, claimed by lease, sent outside any transaction.

Rows are locked in one order by everybody: of the outbox, then of the ledger, then of the alerts.
"""

import json
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    Column,
    Index,
    Integer,
    LargeBinary,
    Row,
    Select,
    SmallInteger,
    Table,
    Text,
    bindparam,
    delete,
    func,
    or_,
    select,
    text,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.sql.dml import ReturningUpdate

from tracker.domain.errors import Misconfigured
from tracker.domain.ids import new_id
from tracker.domain.notification import Claimed, DeliveryState, Notification
from tracker.domain.rule import Urgency
from tracker.store import deliveries
from tracker.store.alerts import OUTBOX_CHANNEL
from tracker.store.deliveries import Ended
from tracker.store.schema import Id, metadata, moment
from tracker.store.seal import Sealer
from tracker.store.session import Session

__all__ = ["OUTBOX_CHANNEL"]

LEASE = timedelta(seconds=60)
KEEP_FOR = timedelta(days=2)
TOGETHER_AT_MOST = 100
"""Notifications of one group that are told by one message."""

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
    moment("due_at"),
    moment("expires_at"),
    moment("claimed_until", nullable=True),
    moment("settled_at", nullable=True),
    Column("outcome", Text),
    Column("urgency", SmallInteger, nullable=False, server_default="1"),
    Column("delivery_id", Id),
    Column("group_key", Text),
    Index(
        "ix_outbox_urgency_due_at",
        text("urgency DESC"),
        "due_at",
        postgresql_where=text("settled_at IS NULL"),
    ),
    Index(
        "uq_outbox_delivery_id", "delivery_id", unique=True, postgresql_where=text("delivery_id IS NOT NULL")
    ),
)


def put(
    session: Session,
    notification: Notification,
    sealer: Sealer,
    now: datetime,
    *,
    due_at: datetime | None = None,
) -> str:
    """Record a notification to be sent after the commit, or from `due_at` on; returns its id.

    Address and arguments are sealed. A delivery has one notification: a second one is not recorded.
    """
    return put_many(session, [(notification, due_at or now)], sealer, now)[0]


def put_many(
    session: Session, told: Sequence[tuple[Notification, datetime]], sealer: Sealer, now: datetime
) -> list[str]:
    """Record notifications, each to be sent from its moment on, as `put` does; returns their ids."""
    if not told:
        return []
    rows = [_row(notification, due_at, sealer, now) for notification, due_at in told]
    session.execute(_PUT, rows)
    channels = sorted({notification.channel for notification, _ in told})
    session.execute(_NOTIFY, {"channels": channels})
    return [row["outbox_id"] for row in rows]


def _row(notification: Notification, due_at: datetime, sealer: Sealer, now: datetime) -> dict[str, Any]:
    outbox_id = new_id()
    body = {
        "to": notification.to,
        "locale": notification.locale,
        "args": dict(notification.args),
        "alert_id": notification.alert_id,
    }
    return {
        "account_id": notification.account_id,
        "outbox_id": outbox_id,
        "channel": notification.channel,
        "kind": notification.kind,
        "sealed": sealer.seal(json.dumps(body).encode(), context=f"outbox/{outbox_id}"),
        "created_at": now,
        "due_at": due_at,
        "expires_at": notification.expires_at,
        "urgency": notification.urgency.value,
        "delivery_id": notification.delivery_id,
        "group_key": notification.group,
    }


def claim(
    session: Session,
    sealer: Sealer,
    now: datetime,
    limit: int = 50,
    *,
    channel: str | None = None,
    not_channels: Collection[str] = (),
) -> list[Claimed]:
    """Take up to `limit` due notifications by a lease of 60 s; no other worker gets them meanwhile.

    The most urgent first, of those the longest due; of one `channel`, or of any but `not_channels`. Others of
    a claimed one's group come with it, due or not, as its `also`. Expired ones are settled as "expired",
    those of another secret key as "unreadable". A lease that ran out is due again, one attempt richer.
    """
    _expire(session, now)
    given = {"now": now, "until": now + LEASE, "most": limit}
    if channel is not None:
        rows = list(session.execute(_TAKE_OF_CHANNEL, {**given, "named": channel}).all())
    else:
        rows = list(session.execute(_TAKE_OF_OTHERS, {**given, "not_named": list(not_channels)}).all())
    groups = {(row.channel, row.group_key) for row in rows if row.group_key is not None}
    if groups:
        theirs = (
            select(outbox.c.outbox_id)
            .where(
                *_FREE,
                tuple_(outbox.c.channel, outbox.c.group_key).in_(groups),
                outbox.c.outbox_id.not_in([row.outbox_id for row in rows]),
            )
            .order_by(outbox.c.created_at)
            .limit(TOGETHER_AT_MOST)
        )
        rows += session.execute(_taking(theirs), {"now": now, "until": now + LEASE}).all()
    rows.sort(key=lambda row: (-row.urgency, row.due_at))
    opened = [each for each in (_open(session, sealer, row, now) for row in rows) if each is not None]
    return _together(opened, {row.outbox_id: row.created_at for row in rows})


def settle(session: Session, outbox_id: str, outcome: str, now: datetime) -> None:
    """End a notification with its outcome ("sent", "refused: ..."); its sealed content is forgotten.

    The ledger's line, if it has one, says the same.
    """
    given = {"settled": outbox_id, "now": now, "what": outcome}
    row = session.execute(_SETTLE, given).one_or_none()
    if row is not None and row.delivery_id is not None:
        ended = Ended(row.account_id, row.delivery_id, _state_of(outcome), row.attempts, _detail_of(outcome))
        deliveries.end(session, [ended], now)


def retry(session: Session, outbox_id: str, due_at: datetime, why: str = "") -> None:
    """Give a notification back, due again at `due_at`; the ledger's line counts the attempt and says why."""
    row = session.execute(
        update(outbox)
        .where(outbox.c.outbox_id == outbox_id)
        .values(due_at=due_at, claimed_until=None)
        .returning(outbox.c.account_id, outbox.c.delivery_id, outbox.c.attempts)
    ).one_or_none()
    if row is not None and row.delivery_id is not None:
        deliveries.tried(session, row.account_id, row.delivery_id, row.attempts, why)


def receive(session: Session, outbox_id: str, *, delivered: bool, detail: str, now: datetime) -> None:
    """Note the receipt of a message in the ledger; one of no alert, or of long ago, has no line there.

    It is of everything that was told within the message.
    """
    row = session.execute(select(outbox).where(outbox.c.outbox_id == outbox_id)).one_or_none()
    if row is None or row.delivery_id is None:
        return
    told = f"{deliveries.WITH}{outbox_id}"
    # The message goes first, as when it is settled: nobody waits crosswise.
    lines = {row.delivery_id: detail} | dict.fromkeys(_told_with(session, row, told), told)
    for delivery_id, why in lines.items():
        deliveries.receive(session, row.account_id, delivery_id, delivered=delivered, detail=why, now=now)


def _told_with(session: Session, row: Row[Any], told: str) -> list[str]:
    """Return the ledger's lines of what is told within a message, also while it is being sent."""
    if row.settled_at is not None or row.group_key is None:
        return deliveries.told_with(session, row.account_id, row.delivery_id, told)
    claimed = select(outbox.c.delivery_id).where(
        outbox.c.settled_at.is_(None),
        outbox.c.channel == row.channel,
        outbox.c.group_key == row.group_key,
        outbox.c.claimed_until == row.claimed_until,
        outbox.c.outbox_id != row.outbox_id,
        outbox.c.delivery_id.is_not(None),
    )
    return list(session.execute(claimed.order_by(outbox.c.delivery_id)).scalars())


def cancel(
    session: Session, alert_keys: Collection[tuple[str, str]], now: datetime, contact_id: str | None = None
) -> None:
    """Withdraw what waits of these (account, alert); only what waits for one contact if given.

    What is being sent at this moment is sent, and the ledger will say so.
    """
    waiting = deliveries.waiting(session, alert_keys, contact_id)
    if not waiting:
        return
    withdrawn = session.execute(
        update(outbox)
        .where(outbox.c.delivery_id.in_([each for _, each in waiting]), outbox.c.settled_at.is_(None))
        .values(settled_at=now, outcome="cancelled", sealed=None)
        .returning(outbox.c.account_id, outbox.c.delivery_id, outbox.c.attempts)
    ).all()
    ended = (
        Ended(row.account_id, row.delivery_id, DeliveryState.CANCELLED, row.attempts, "") for row in withdrawn
    )
    deliveries.end(session, ended, now)


def next_due(session: Session, *, channel: str | None = None) -> datetime | None:
    """Return when the earliest unsettled notification is due, of one channel if given, or None."""
    query = select(
        func.min(func.greatest(outbox.c.due_at, func.coalesce(outbox.c.claimed_until, outbox.c.due_at)))
    ).where(outbox.c.settled_at.is_(None))
    if channel is not None:
        query = query.where(outbox.c.channel == channel)
    due: datetime | None = session.execute(query).scalar_one()
    return due


def forget_settled(session: Session, now: datetime) -> None:
    """Delete what was settled more than two days ago."""
    session.execute(delete(outbox).where(outbox.c.settled_at < now - KEEP_FOR))


def _expire(session: Session, now: datetime) -> None:
    rows = session.execute(_EXPIRE, {"now": now}).all()
    ended = (
        Ended(row.account_id, row.delivery_id, DeliveryState.EXPIRED, row.attempts, "")
        for row in rows
        if row.delivery_id is not None
    )
    deliveries.end(session, ended, now)


def _taking(chosen: Select[Any]) -> ReturningUpdate[Any]:
    """Return the statement that leases what is chosen; it is given `now` and `until`."""
    locked = chosen.with_for_update(skip_locked=True)
    return (
        update(outbox)
        .where(outbox.c.outbox_id.in_(locked.scalar_subquery()))
        .values(claimed_until=bindparam("until"), attempts=outbox.c.attempts + 1)
        .returning(outbox)
    )


# Built once: what is asked for with each alert would take longer to build than to answer.
_FREE = (
    outbox.c.settled_at.is_(None),
    or_(outbox.c.claimed_until.is_(None), outbox.c.claimed_until <= bindparam("now")),
)
_DUE = (
    select(outbox.c.outbox_id)
    .where(*_FREE, outbox.c.due_at <= bindparam("now"))
    .order_by(outbox.c.urgency.desc(), outbox.c.due_at)
    .limit(bindparam("most", type_=Integer))
)
_TAKE_OF_CHANNEL = _taking(_DUE.where(outbox.c.channel == bindparam("named")))
_TAKE_OF_OTHERS = _taking(_DUE.where(outbox.c.channel.not_in(bindparam("not_named", expanding=True))))
_PUT = upsert(outbox).on_conflict_do_nothing(
    index_elements=["delivery_id"], index_where=outbox.c.delivery_id.is_not(None)
)
_NOTIFY = select(func.pg_notify(OUTBOX_CHANNEL, func.unnest(bindparam("channels", type_=ARRAY(Text)))))
_SETTLE = (
    update(outbox)
    .where(outbox.c.outbox_id == bindparam("settled"))
    .values(settled_at=bindparam("now"), outcome=bindparam("what"), sealed=None, claimed_until=None)
    .returning(outbox.c.account_id, outbox.c.delivery_id, outbox.c.attempts)
)
_EXPIRE = (
    update(outbox)
    .where(
        outbox.c.outbox_id.in_(
            select(outbox.c.outbox_id)
            .where(outbox.c.settled_at.is_(None), outbox.c.expires_at <= bindparam("now"))
            .with_for_update(skip_locked=True)
            .scalar_subquery()
        )
    )
    .values(settled_at=bindparam("now"), outcome="expired", sealed=None)
    .returning(outbox.c.account_id, outbox.c.delivery_id, outbox.c.attempts)
)


def _open(session: Session, sealer: Sealer, row: Row[Any], now: datetime) -> Claimed | None:
    try:
        body = json.loads(sealer.open(row.sealed, context=f"outbox/{row.outbox_id}"))
    except Misconfigured:
        # Sealed with an earlier secret key: nobody can send it, and it must not stall the others.
        settle(session, row.outbox_id, "unreadable", now)
        return None
    return Claimed(
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
            urgency=Urgency(row.urgency),
            alert_id=body.get("alert_id"),
            delivery_id=row.delivery_id,
            group=row.group_key,
        ),
    )


def _together(claimed: Sequence[Claimed], created_at: dict[str, datetime]) -> list[Claimed]:
    """Join the notifications of each group: the first made leads, so that a repeat has the same id."""
    groups: dict[tuple[str, str], list[Claimed]] = {}
    for each in claimed:
        told = each.notification
        groups.setdefault((told.channel, told.group or each.outbox_id), []).append(each)
    joined = []
    for members in groups.values():
        members.sort(key=lambda each: (created_at[each.outbox_id], each.outbox_id))
        first = members[0]
        joined.append(
            Claimed(
                outbox_id=first.outbox_id,
                attempts=first.attempts,
                notification=first.notification,
                also=tuple(members[1:]),
            )
        )
    return joined


def _state_of(outcome: str) -> DeliveryState:
    if outcome == "sent":
        return DeliveryState.SENT
    if outcome.startswith("with "):
        return DeliveryState.GROUPED
    return DeliveryState.EXPIRED if outcome == "expired" else DeliveryState.REFUSED


def _detail_of(outcome: str) -> str:
    return "" if outcome in {"sent", "expired"} else outcome.removeprefix("refused: ")
