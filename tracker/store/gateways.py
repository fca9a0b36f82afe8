"""Gateways: one credential for many devices of one account, each known by its external id."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Column,
    ForeignKeyConstraint,
    Index,
    Row,
    Table,
    Text,
    delete,
    insert,
    select,
    text,
    update,
)

from tracker.domain.errors import NotFound
from tracker.domain.gateway import Gateway, GatewayOwner
from tracker.store.schema import Id, id_from_int, id_to_int, metadata, moment
from tracker.store.session import Session

gateways = Table(
    "gateways",
    metadata,
    Column("account_id", Id, primary_key=True, autoincrement=False),
    Column("gateway_id", Id, primary_key=True, autoincrement=False),
    Column("name", Text, nullable=False),
    Column("dialect", Text, nullable=False),
    Column("mqtt_password_hash", Text, nullable=False),
    moment("created_at"),
    moment("provisioned_at", nullable=True),
    moment("revoked_at", nullable=True),
    ForeignKeyConstraint(["account_id"], ["accounts.account_id"], ondelete="CASCADE"),
    Index("ix_gateways_gateway_id", "gateway_id", unique=True),
)


def value(row: Row[Any]) -> Gateway:
    """Return the gateway of a row."""
    return Gateway(
        account_id=row.account_id,
        gateway_id=row.gateway_id,
        name=row.name,
        dialect=row.dialect,
        created_at=row.created_at,
        provisioned_at=row.provisioned_at,
        revoked_at=row.revoked_at,
    )


def add(session: Session, gateway: Gateway, *, mqtt_password_hash: str) -> None:
    """Store a new gateway; the caller tells the provisioner."""
    session.execute(
        insert(gateways).values(
            account_id=gateway.account_id,
            gateway_id=gateway.gateway_id,
            name=gateway.name,
            dialect=gateway.dialect,
            mqtt_password_hash=mqtt_password_hash,
            created_at=gateway.created_at,
        )
    )


def change(session: Session, account_id: str, gateway_id: str, *, name: str) -> None:
    """Store a gateway's new name."""
    session.execute(
        update(gateways)
        .where(gateways.c.account_id == account_id, gateways.c.gateway_id == gateway_id)
        .values(name=name)
    )


def set_password_hash(session: Session, account_id: str, gateway_id: str, mqtt_password_hash: str) -> None:
    """Replace a gateway's broker password; the caller tells the provisioner."""
    session.execute(
        update(gateways)
        .where(gateways.c.account_id == account_id, gateways.c.gateway_id == gateway_id)
        .values(mqtt_password_hash=mqtt_password_hash, provisioned_at=None)
    )


def get(session: Session, account_id: str, gateway_id: str) -> Gateway:
    """Return one gateway of the account.

    Raises:
        NotFound: this account has no such gateway.
    """
    row = session.execute(
        select(gateways).where(gateways.c.account_id == account_id, gateways.c.gateway_id == gateway_id)
    ).one_or_none()
    if row is None:
        raise NotFound("gateway")
    return value(row)


def remove(session: Session, account_id: str, gateway_id: str) -> None:
    """Delete a gateway's row; the caller tells the provisioner."""
    session.execute(
        delete(gateways).where(gateways.c.account_id == account_id, gateways.c.gateway_id == gateway_id)
    )


_OWNED = text(
    "SELECT account_id, gateway_id, dialect FROM gateways WHERE gateway_id = ANY(:ids) AND revoked_at IS NULL"
)


def owned(session: Session, gateway_ids: Sequence[str]) -> dict[str, GatewayOwner]:
    """Return whose each known, unrevoked gateway is, keyed by gateway id; unknown ones are absent."""
    names = {id_to_int(gateway_id): gateway_id for gateway_id in gateway_ids}
    return {
        names[gateway]: GatewayOwner(
            account_id=id_from_int(account), gateway_id=names[gateway], dialect=dialect
        )
        for account, gateway, dialect in session.execute(_OWNED, {"ids": list(names)})
    }


def broker_credentials(session: Session) -> list[tuple[str, str]]:
    """Return (gateway id, broker password hash) of every unrevoked gateway, by id."""
    rows = session.execute(
        select(gateways.c.gateway_id, gateways.c.mqtt_password_hash)
        .where(gateways.c.revoked_at.is_(None))
        .order_by(gateways.c.gateway_id)
    )
    return [(row.gateway_id, row.mqtt_password_hash) for row in rows]


def mark_provisioned(session: Session, credentials: Sequence[tuple[str, str]], now: datetime) -> None:
    """Note that the broker knows these passwords; one changed meanwhile stays unprovisioned."""
    waiting = session.execute(select(gateways).where(gateways.c.provisioned_at.is_(None))).all()
    known = dict(credentials)
    for row in waiting:
        if known.get(row.gateway_id) == row.mqtt_password_hash:
            session.execute(
                update(gateways)
                .where(
                    gateways.c.account_id == row.account_id,
                    gateways.c.gateway_id == row.gateway_id,
                    gateways.c.mqtt_password_hash == row.mqtt_password_hash,
                )
                .values(provisioned_at=now)
            )
