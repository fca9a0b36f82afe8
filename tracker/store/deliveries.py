"""The ledger of telling: one line for an alert, a contact and a channel."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import (
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    Row,
    SmallInteger,
    Table,
    Text,
    and_,
    func,
    literal,
    not_,
    or_,
    select,
    text,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import insert as upsert

from tracker.domain.notification import AlertState, Delivery, DeliveryState
from tracker.store.alerts import ALERTS, OUTBOX_CHANNEL, alerts
from tracker.store.events import events
from tracker.store.schema import Id, metadata, moment
from tracker.store.session import Session

_FAILED = (DeliveryState.REFUSED, DeliveryState.EXPIRED)
_DETAIL_LENGTH = 200
WITH = "with "
"""What the detail of a line begins with that was told within another one's message; its number follows."""

deliveries = Table(
    "deliveries",
    metadata,
    Column("account_id", Id, primary_key=True, autoincrement=False),
    Column("delivery_id", Id, primary_key=True, autoincrement=False),
    Column("alert_id", Id, nullable=False),
    Column("contact_id", Id, nullable=False),
    Column("channel", Text, nullable=False),
    Column("step", SmallInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    moment("created_at"),
    moment("due_at"),
    moment("sent_at", nullable=True),
    moment("delivered_at", nullable=True),
    Column("detail", Text, nullable=False, server_default=text("''")),
    ForeignKeyConstraint(
        ["account_id", "alert_id"], ["alerts.account_id", "alerts.alert_id"], ondelete="CASCADE"
    ),
    # An escalation adds contacts, never a second copy.
    Index(
        "uq_deliveries_account_id_alert_id_contact_id_channel",
        "account_id",
        "alert_id",
        "contact_id",
        "channel",
        unique=True,
    ),
    Index("ix_deliveries_account_id_contact_id_created_at", "account_id", "contact_id", "created_at"),
)


# A receipt may come before the answer that the message was taken; it alone refuses what was sent.
_RECEIVED = or_(
    deliveries.c.state == DeliveryState.DELIVERED.value,
    and_(deliveries.c.state == DeliveryState.REFUSED.value, deliveries.c.sent_at.is_not(None)),
)


def value(row: Row[Any]) -> Delivery:
    """Return the delivery of a row."""
    return Delivery(
        account_id=row.account_id,
        delivery_id=row.delivery_id,
        alert_id=row.alert_id,
        contact_id=row.contact_id,
        channel=row.channel,
        step=row.step,
        state=DeliveryState(row.state),
        attempts=row.attempts,
        created_at=row.created_at,
        due_at=row.due_at,
        sent_at=row.sent_at,
        delivered_at=row.delivered_at,
        detail=row.detail,
    )


def of_alert(session: Session, account_id: str, alert_id: str) -> list[Delivery]:
    """Return what became of telling an alert, by step, then in the order of planning."""
    rows = session.execute(
        select(deliveries)
        .where(deliveries.c.account_id == account_id, deliveries.c.alert_id == alert_id)
        .order_by(deliveries.c.step, deliveries.c.created_at, deliveries.c.delivery_id)
    )
    return [value(row) for row in rows]


class Recent(NamedTuple):
    """A message that a contact had or will have, with what it told of; `held`: not due when it was made."""

    contact_id: str
    channel: str
    rule_id: str | None
    subject_id: str
    due_at: datetime
    held: bool
    type: str


class Ended(NamedTuple):
    """What became of one delivery."""

    account_id: str
    delivery_id: str
    state: DeliveryState
    attempts: int
    detail: str


# A statement with the rows in it would be compiled anew each time.
_ADD = (
    upsert(deliveries)
    .on_conflict_do_nothing(index_elements=["account_id", "alert_id", "contact_id", "channel"])
    .returning(deliveries.c.delivery_id)
)


def add_many(session: Session, new: Sequence[Delivery]) -> set[str]:
    """Store new lines of the ledger; return the ids of those that were new by alert, contact and channel."""
    if not new:
        return set()
    rows = session.execute(
        _ADD,
        [
            {
                "account_id": each.account_id,
                "delivery_id": each.delivery_id,
                "alert_id": each.alert_id,
                "contact_id": each.contact_id,
                "channel": each.channel,
                "step": each.step,
                "state": each.state.value,
                "created_at": each.created_at,
                "due_at": each.due_at,
            }
            for each in new
        ],
    )
    return set(rows.scalars())


def of_alerts(session: Session, account_id: str, alert_ids: Collection[str]) -> dict[str, list[Delivery]]:
    """Return the lines of each alert in the order they were made; an alert without any is absent."""
    rows = session.execute(
        select(deliveries)
        .where(deliveries.c.account_id == account_id, deliveries.c.alert_id.in_(alert_ids))
        .order_by(deliveries.c.created_at, deliveries.c.step, deliveries.c.delivery_id)
    )
    found: dict[str, list[Delivery]] = {}
    for row in rows:
        found.setdefault(row.alert_id, []).append(value(row))
    return found


def get(session: Session, account_id: str, delivery_id: str) -> Delivery | None:
    """Return one line of the ledger, or None."""
    row = session.execute(
        select(deliveries).where(
            deliveries.c.account_id == account_id, deliveries.c.delivery_id == delivery_id
        )
    ).one_or_none()
    return value(row) if row else None


def recent(session: Session, account_id: str, contact_ids: Collection[str], since: datetime) -> list[Recent]:
    """Return what these contacts were told, or will be, of lines made from `since` on."""
    rows = session.execute(
        select(
            deliveries.c.contact_id,
            deliveries.c.channel,
            events.c.rule_id,
            events.c.subject_id,
            deliveries.c.due_at,
            (deliveries.c.due_at > deliveries.c.created_at).label("held"),
            events.c.type,
        )
        .join(
            alerts,
            (alerts.c.account_id == deliveries.c.account_id) & (alerts.c.alert_id == deliveries.c.alert_id),
        )
        .join(events, (events.c.account_id == alerts.c.account_id) & (events.c.event_id == alerts.c.event_id))
        .where(
            deliveries.c.account_id == account_id,
            deliveries.c.contact_id.in_(contact_ids),
            deliveries.c.created_at >= since,
            # What never reached him is no reason to hold the next one back.
            deliveries.c.state.not_in([each.value for each in (*_FAILED, DeliveryState.CANCELLED)]),
        )
    )
    return [Recent(*row) for row in rows]


def tried(session: Session, account_id: str, delivery_id: str, attempts: int, detail: str) -> None:
    """Note an attempt that failed and will be repeated, and why."""
    session.execute(
        update(deliveries)
        .where(
            deliveries.c.account_id == account_id,
            deliveries.c.delivery_id == delivery_id,
            deliveries.c.state == DeliveryState.WAITING.value,
        )
        .values(attempts=attempts, detail=detail[:_DETAIL_LENGTH])
    )


def end(session: Session, ended: Iterable[Ended], now: datetime) -> None:
    """Note what became of deliveries; one that failed makes its alert due for what is next."""
    failed = []
    for each in sorted(ended):
        sent = each.state in {DeliveryState.SENT, DeliveryState.GROUPED}
        alert_id = session.execute(
            update(deliveries)
            .where(
                deliveries.c.account_id == each.account_id,
                deliveries.c.delivery_id == each.delivery_id,
                not_(_RECEIVED),
            )
            .values(
                state=each.state.value,
                attempts=func.greatest(deliveries.c.attempts, each.attempts),
                detail=each.detail[:_DETAIL_LENGTH],
                **({"sent_at": now} if sent else {}),
            )
            .returning(deliveries.c.alert_id)
        ).scalar_one_or_none()
        if alert_id is not None and each.state in _FAILED:
            failed.append((each.account_id, alert_id))
    for account_id, alert_id in sorted(set(failed)):
        _look_again(session, account_id, alert_id, now)


def told_with(session: Session, account_id: str, delivery_id: str, detail: str) -> list[str]:
    """Return the lines that were told within the message of another line; `detail` is what they say of it."""
    head = deliveries.alias("head")
    rows = session.execute(
        select(deliveries.c.delivery_id)
        .join(
            head,
            (head.c.account_id == deliveries.c.account_id)
            & (head.c.contact_id == deliveries.c.contact_id)
            & (head.c.created_at <= deliveries.c.created_at),
        )
        .where(
            head.c.account_id == account_id,
            head.c.delivery_id == delivery_id,
            deliveries.c.channel == head.c.channel,
            deliveries.c.detail == detail,
        )
        .order_by(deliveries.c.delivery_id)
    )
    return list(rows.scalars())


def receive(
    session: Session, account_id: str, delivery_id: str, *, delivered: bool, detail: str, now: datetime
) -> None:
    """Note the receipt of a message that was sent: it reached the device, or never will."""
    state = DeliveryState.DELIVERED if delivered else DeliveryState.REFUSED
    alert_id = session.execute(
        update(deliveries)
        .where(deliveries.c.account_id == account_id, deliveries.c.delivery_id == delivery_id)
        .values(
            state=state.value,
            detail=detail[:_DETAIL_LENGTH],
            sent_at=func.coalesce(deliveries.c.sent_at, now),
            delivered_at=now if delivered else None,
        )
        .returning(deliveries.c.alert_id)
    ).scalar_one_or_none()
    if alert_id is not None and not delivered:
        _look_again(session, account_id, alert_id, now)


def waiting(
    session: Session, keys: Collection[tuple[str, str]], contact_id: str | None = None
) -> list[tuple[str, str]]:
    """Return (account, delivery) of what waits of these (account, alert); of one contact if given."""
    if not keys:
        return []
    query = select(deliveries.c.account_id, deliveries.c.delivery_id).where(
        tuple_(deliveries.c.account_id, deliveries.c.alert_id).in_(
            [tuple_(literal(account, Id), literal(alert, Id)) for account, alert in keys]
        ),
        deliveries.c.state == DeliveryState.WAITING.value,
    )
    if contact_id is not None:
        query = query.where(deliveries.c.contact_id == contact_id)
    return [(row.account_id, row.delivery_id) for row in session.execute(query)]


def _look_again(session: Session, account_id: str, alert_id: str, now: datetime) -> None:
    session.execute(
        update(alerts)
        .where(
            alerts.c.account_id == account_id,
            alerts.c.alert_id == alert_id,
            alerts.c.state == AlertState.OPEN.value,
        )
        .values(escalate_at=now)
    )
    session.execute(select(func.pg_notify(OUTBOX_CHANNEL, ALERTS)))
