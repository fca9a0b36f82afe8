"""Whom alerts of an account are told."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    Column,
    ForeignKeyConstraint,
    LargeBinary,
    Row,
    Select,
    SmallInteger,
    Table,
    Text,
    delete,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.dialects.postgresql import insert as upsert

from tracker.domain.errors import NotFound
from tracker.domain.notification import Contact
from tracker.domain.rule import Urgency
from tracker.store import schedules
from tracker.store.accounts import accounts
from tracker.store.geofences import geofences
from tracker.store.schema import Id, metadata, moment
from tracker.store.session import Session

OWNER_CHANNELS = ("webpush", "sms")
"""How an owner is told until he says otherwise: by his browsers if they take messages, else by SMS."""
HOME_ZONE = "Europe/Moscow"
"""The owner's zone until he says otherwise, while the account has no place that tells it."""

contacts = Table(
    "contacts",
    metadata,
    Column("account_id", Id, primary_key=True, autoincrement=False),
    Column("contact_id", Id, primary_key=True, autoincrement=False),
    Column("name", Text, nullable=False),
    Column("phone", Text),
    Column("email", Text),
    Column("mqtt_device_id", Id),
    Column("locale", Text, nullable=False),
    Column("time_zone", Text, nullable=False),
    Column("channels", ARRAY(Text), nullable=False),
    Column("position", SmallInteger, nullable=False),
    Column("quiet", JSONB(none_as_null=True)),
    Column("quiet_breaks_at", SmallInteger, nullable=False, server_default=text("2")),
    Column("per_hour_most", SmallInteger, nullable=False, server_default=text("20")),
    Column("confirm_hash", LargeBinary),
    moment("confirmed_at", nullable=True),
    moment("created_at"),
    ForeignKeyConstraint(["account_id"], ["accounts.account_id"], ondelete="CASCADE"),
)


def value(row: Row[Any]) -> Contact:
    """Return the contact of a row."""
    return Contact(
        account_id=row.account_id,
        contact_id=row.contact_id,
        name=row.name,
        phone=row.phone,
        email=row.email,
        mqtt_device_id=row.mqtt_device_id,
        locale=row.locale,
        time_zone=row.time_zone,
        channels=tuple(row.channels),
        position=row.position,
        created_at=row.created_at,
        confirmed_at=row.confirmed_at,
        quiet=schedules.from_json(row.quiet),
        quiet_breaks_at=Urgency(row.quiet_breaks_at),
        per_hour_most=row.per_hour_most,
    )


def of_account(session: Session, account_id: str, now: datetime) -> list[Contact]:
    """Return the account's contacts in the order of escalation; the owner, made now if need be, is the first.

    The owner's contact has the account's own id.
    """
    query = select(contacts).where(contacts.c.account_id == account_id).order_by(*_RANK)
    found = [value(row) for row in session.execute(query)]
    if any(each.contact_id == account_id for each in found):
        return found
    _make_owner(session, account_id, now)
    return [value(row) for row in session.execute(query)]


def get(session: Session, account_id: str, contact_id: str) -> Contact:
    """Return one contact of the account.

    Raises:
        NotFound: this account has no such contact.
    """
    row = session.execute(_one(account_id, contact_id)).one_or_none()
    if row is None:
        raise NotFound("contact")
    return value(row)


def put(session: Session, contact: Contact) -> None:
    """Store a new contact, or a known one's changes; its code waiting for confirmation is left as it is."""
    stored = {
        "name": contact.name,
        "phone": contact.phone,
        "email": contact.email,
        "mqtt_device_id": contact.mqtt_device_id,
        "locale": contact.locale,
        "time_zone": contact.time_zone,
        "channels": list(contact.channels),
        "position": contact.position,
        "quiet": schedules.to_json(contact.quiet),
        "quiet_breaks_at": contact.quiet_breaks_at.value,
        "per_hour_most": contact.per_hour_most,
        "confirmed_at": contact.confirmed_at,
    }
    session.execute(
        upsert(contacts)
        .values(
            account_id=contact.account_id,
            contact_id=contact.contact_id,
            created_at=contact.created_at,
            **stored,
        )
        .on_conflict_do_update(index_elements=["account_id", "contact_id"], set_=stored)
    )


def set_confirm_hash(session: Session, account_id: str, contact_id: str, confirm_hash: bytes | None) -> None:
    """Store what a contact's next code is compared with; None: no code opens."""
    session.execute(
        update(contacts)
        .where(contacts.c.account_id == account_id, contacts.c.contact_id == contact_id)
        .values(confirm_hash=confirm_hash)
    )


def lock_confirm_hash(session: Session, account_id: str, contact_id: str) -> bytes | None:
    """Return what a contact's code is compared with, the row locked to the end.

    Raises:
        NotFound: this account has no such contact.
    """
    row = session.execute(_one(account_id, contact_id).with_for_update()).one_or_none()
    if row is None:
        raise NotFound("contact")
    confirm_hash: bytes | None = row.confirm_hash
    return confirm_hash


def confirm(session: Session, account_id: str, contact_id: str, now: datetime) -> None:
    """Note that a contact agreed; his code is spent."""
    session.execute(
        update(contacts)
        .where(contacts.c.account_id == account_id, contacts.c.contact_id == contact_id)
        .values(confirmed_at=now, confirm_hash=None)
    )


def remove(session: Session, account_id: str, contact_id: str) -> None:
    """Delete a contact with his push subscriptions; the ledger keeps what he was told."""
    session.execute(
        delete(contacts).where(contacts.c.account_id == account_id, contacts.c.contact_id == contact_id)
    )


_RANK = (contacts.c.position, contacts.c.created_at, contacts.c.contact_id)


def _one(account_id: str, contact_id: str) -> Select[Any]:
    return select(contacts).where(contacts.c.account_id == account_id, contacts.c.contact_id == contact_id)


def _make_owner(session: Session, account_id: str, now: datetime) -> None:
    owner = session.execute(select(accounts).where(accounts.c.account_id == account_id)).one_or_none()
    if owner is None:
        return
    zone = session.execute(
        select(geofences.c.time_zone)
        .where(geofences.c.account_id == account_id)
        .order_by(geofences.c.created_at)
        .limit(1)
    ).scalar_one_or_none()
    session.execute(
        upsert(contacts)
        .values(
            account_id=account_id,
            contact_id=account_id,
            name=owner.phone,
            phone=owner.phone,
            locale=owner.locale,
            time_zone=zone or HOME_ZONE,
            channels=list(OWNER_CHANNELS),
            position=0,
            confirmed_at=now,
            created_at=now,
        )
        .on_conflict_do_nothing()
    )
