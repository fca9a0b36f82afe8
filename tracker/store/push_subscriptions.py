"""Web push subscriptions of contacts' browsers; their endpoints are sealed."""

import json
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, ForeignKeyConstraint, Index, LargeBinary, Table, Text, delete, func, select
from sqlalchemy.dialects.postgresql import insert as upsert

from tracker.domain.ids import new_id
from tracker.store.schema import Id, metadata, moment
from tracker.store.seal import Sealer, token_hash
from tracker.store.session import Session

push_subscriptions = Table(
    "push_subscriptions",
    metadata,
    Column("account_id", Id, primary_key=True, autoincrement=False),
    Column("subscription_id", Id, primary_key=True, autoincrement=False),
    Column("contact_id", Id, nullable=False),
    Column("endpoint_hash", LargeBinary, nullable=False),
    # Endpoint, p256dh, auth.
    Column("sealed", LargeBinary, nullable=False),
    Column("agent", Text, nullable=False),
    moment("created_at"),
    moment("failed_at", nullable=True),
    ForeignKeyConstraint(
        ["account_id", "contact_id"], ["contacts.account_id", "contacts.contact_id"], ondelete="CASCADE"
    ),
    Index("uq_push_subscriptions_account_id_endpoint_hash", "account_id", "endpoint_hash", unique=True),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """Where one browser takes messages (RFC 8030) and its keys (RFC 8291), as `PushSubscription.toJSON()`."""

    subscription_id: str
    contact_id: str
    endpoint: str
    p256dh: str
    auth: str
    agent: str
    created_at: datetime


def add(
    session: Session,
    sealer: Sealer,
    account_id: str,
    contact_id: str,
    *,
    endpoint: str,
    p256dh: str,
    auth: str,
    agent: str,
    now: datetime,
) -> str:
    """Store a browser's subscription and return its id; one with the same endpoint keeps its id."""
    subscription_id = new_id()
    endpoint_hash = token_hash(endpoint)
    # Bound to the endpoint's hash and not to the id, which stays when a browser subscribes again.
    sealed = sealer.seal(
        json.dumps({"endpoint": endpoint, "p256dh": p256dh, "auth": auth}).encode(),
        context=_context(account_id, endpoint_hash),
    )
    kept: str = session.execute(
        upsert(push_subscriptions)
        .values(
            account_id=account_id,
            subscription_id=subscription_id,
            contact_id=contact_id,
            endpoint_hash=endpoint_hash,
            sealed=sealed,
            agent=agent,
            created_at=now,
        )
        .on_conflict_do_update(
            index_elements=["account_id", "endpoint_hash"],
            set_={"contact_id": contact_id, "sealed": sealed, "agent": agent, "failed_at": None},
        )
        .returning(push_subscriptions.c.subscription_id)
    ).scalar_one()
    return kept


def of_contact(session: Session, sealer: Sealer, account_id: str, contact_id: str) -> list[Subscription]:
    """Return a contact's subscriptions, oldest first.

    Raises:
        Misconfigured: they were sealed with another secret key.
    """
    rows = session.execute(
        select(push_subscriptions)
        .where(push_subscriptions.c.account_id == account_id, push_subscriptions.c.contact_id == contact_id)
        .order_by(push_subscriptions.c.created_at, push_subscriptions.c.subscription_id)
    )
    found = []
    for row in rows:
        keys = json.loads(sealer.open(row.sealed, context=_context(account_id, row.endpoint_hash)))
        found.append(
            Subscription(
                subscription_id=row.subscription_id,
                contact_id=row.contact_id,
                endpoint=keys["endpoint"],
                p256dh=keys["p256dh"],
                auth=keys["auth"],
                agent=row.agent,
                created_at=row.created_at,
            )
        )
    return found


def counts(session: Session, account_id: str) -> dict[str, int]:
    """Return how many subscriptions each contact of the account has; those without any are absent."""
    table = push_subscriptions
    rows = session.execute(
        select(table.c.contact_id, func.count().label("many"))
        .where(table.c.account_id == account_id)
        .group_by(table.c.contact_id)
    )
    return {row.contact_id: row.many for row in rows}


def remove(session: Session, account_id: str, subscription_id: str) -> bool:
    """Delete a subscription; tell whether there was one."""
    gone = session.execute(
        delete(push_subscriptions)
        .where(
            push_subscriptions.c.account_id == account_id,
            push_subscriptions.c.subscription_id == subscription_id,
        )
        .returning(push_subscriptions.c.subscription_id)
    ).one_or_none()
    return gone is not None


def _context(account_id: str, endpoint_hash: bytes) -> str:
    return f"push/{account_id}/{endpoint_hash.hex()}"
