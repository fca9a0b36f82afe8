"""Devices, their broker credentials (hashes only) and what they last said of themselves."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    Row,
    Table,
    Text,
    delete,
    func,
    insert,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB

from tracker.domain.device import Device, DeviceSettings, SpeedUnit
from tracker.domain.errors import NotFound
from tracker.store.schema import Id, id_from_int, id_to_int, metadata, moment
from tracker.store.session import Session

CREDENTIALS_CHANNEL = "tracker_credentials"
"""NOTIFY channel: the set of broker credentials changed."""

devices = Table(
    "devices",
    metadata,
    Column("account_id", Id, primary_key=True, autoincrement=False),
    Column("device_id", Id, primary_key=True, autoincrement=False),
    Column("subject_id", Id, nullable=False),
    Column("name", Text, nullable=False),
    Column("dialect", Text, nullable=False),
    Column("external_id", Text),
    Column("mqtt_password_hash", Text, nullable=False),
    Column("payload_key_sealed", LargeBinary),
    Column("online", Boolean),
    Column("settings", JSONB, nullable=False, server_default=text("'{}'")),
    moment("created_at"),
    moment("provisioned_at", nullable=True),
    moment("revoked_at", nullable=True),
    ForeignKeyConstraint(
        ["account_id", "subject_id"], ["subjects.account_id", "subjects.subject_id"], ondelete="CASCADE"
    ),
    Index("ix_devices_device_id", "device_id", unique=True),
    Index("ix_devices_account_id_subject_id", "account_id", "subject_id"),
    Index("uq_devices_account_id_external_id", "account_id", text("lower(external_id)"), unique=True),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Owned:
    """What ingest must know of a device: whose it is, its payloads' sealed key, its last word of presence."""

    account_id: str
    subject_id: str
    device_id: str
    payload_key_sealed: bytes | None
    online: bool | None


def payload_key_context(device_id: str) -> str:
    """Return what a device's payload key is sealed to (`Sealer.seal`); the key is its secret in UTF-8."""
    return f"devices/{device_id}/payload_key"


def value(row: Row[Any]) -> Device:
    """Return the device of a row."""
    return Device(
        account_id=row.account_id,
        device_id=row.device_id,
        subject_id=row.subject_id,
        name=row.name,
        dialect=row.dialect,
        external_id=row.external_id,
        created_at=row.created_at,
        provisioned_at=row.provisioned_at,
        revoked_at=row.revoked_at,
        online=row.online,
        settings=settings_value(row.settings),
    )


def settings_value(stored: Mapping[str, Any]) -> DeviceSettings:
    """Return the settings that `settings_json` stored."""
    unit = stored.get("speed_unit")
    return DeviceSettings(speed_unit=SpeedUnit(unit) if unit else None, codec=stored.get("codec"))


def settings_json(settings: DeviceSettings) -> dict[str, Any]:
    """Return settings as they are stored: those that are not as the dialect says."""
    return {name: each for name, each in asdict(settings).items() if each is not None}


def add(
    session: Session, device: Device, *, mqtt_password_hash: str, payload_key_sealed: bytes | None
) -> None:
    """Store a new device and tell the broker's provisioner."""
    session.execute(
        insert(devices).values(
            account_id=device.account_id,
            device_id=device.device_id,
            subject_id=device.subject_id,
            name=device.name,
            dialect=device.dialect,
            external_id=device.external_id,
            mqtt_password_hash=mqtt_password_hash,
            payload_key_sealed=payload_key_sealed,
            settings=settings_json(device.settings),
            created_at=device.created_at,
        )
    )
    tell_provisioner(session)


def change(
    session: Session, account_id: str, device_id: str, *, name: str, subject_id: str, external_id: str | None
) -> None:
    """Store a device's new name, subject and external id."""
    session.execute(
        update(devices)
        .where(devices.c.account_id == account_id, devices.c.device_id == device_id)
        .values(name=name, subject_id=subject_id, external_id=external_id)
    )


def set_password_hash(session: Session, account_id: str, device_id: str, mqtt_password_hash: str) -> None:
    """Replace a device's broker password; the old one ends when the broker has read the new file."""
    session.execute(
        update(devices)
        .where(devices.c.account_id == account_id, devices.c.device_id == device_id)
        .values(mqtt_password_hash=mqtt_password_hash, provisioned_at=None)
    )
    tell_provisioner(session)


def set_payload_key(
    session: Session, account_id: str, device_id: str, payload_key_sealed: bytes | None
) -> None:
    """Replace the sealed key of a device's encrypted payloads; None: it sends in clear."""
    session.execute(
        update(devices)
        .where(devices.c.account_id == account_id, devices.c.device_id == device_id)
        .values(payload_key_sealed=payload_key_sealed)
    )


def get(session: Session, account_id: str, device_id: str) -> Device:
    """Return one device of the account.

    Raises:
        NotFound: this account has no such device.
    """
    row = session.execute(
        select(devices).where(devices.c.account_id == account_id, devices.c.device_id == device_id)
    ).one_or_none()
    if row is None:
        raise NotFound("device")
    return value(row)


def remove(session: Session, account_id: str, device_id: str) -> None:
    """Delete a device's row and tell the broker's provisioner."""
    session.execute(
        delete(devices).where(devices.c.account_id == account_id, devices.c.device_id == device_id)
    )
    tell_provisioner(session)


_OWNED = text(
    "SELECT account_id, subject_id, device_id, payload_key_sealed, online FROM devices"
    " WHERE device_id = ANY(:ids) AND revoked_at IS NULL"
)


def owned(session: Session, device_ids: Sequence[str]) -> dict[str, Owned]:
    """Return whose each known, unrevoked device is, keyed by device id; unknown ones are absent.

    Ingest asks for a thousand at a time, hence one array instead of a thousand parameters.
    """
    names = {id_to_int(device_id): device_id for device_id in device_ids}
    return {
        names[device]: Owned(
            account_id=id_from_int(account),
            subject_id=id_from_int(subject),
            device_id=names[device],
            payload_key_sealed=sealed,
            online=online,
        )
        for account, subject, device, sealed, online in session.execute(_OWNED, {"ids": list(names)})
    }


def set_online(session: Session, account_id: str, device_id: str, online: bool) -> None:
    """Store what a device, or its last will, said of its presence."""
    session.execute(
        update(devices)
        .where(devices.c.account_id == account_id, devices.c.device_id == device_id)
        .where(or_(devices.c.online.is_(None), devices.c.online != online))
        .values(online=online)
    )


def broker_credentials(session: Session) -> list[tuple[str, str]]:
    """Return (device id, broker password hash) of every unrevoked device, by id."""
    rows = session.execute(
        select(devices.c.device_id, devices.c.mqtt_password_hash)
        .where(devices.c.revoked_at.is_(None))
        .order_by(devices.c.device_id)
    )
    return [(row.device_id, row.mqtt_password_hash) for row in rows]


def mark_provisioned(session: Session, credentials: Sequence[tuple[str, str]], now: datetime) -> None:
    """Note that the broker knows these passwords; one changed meanwhile stays unprovisioned."""
    waiting = session.execute(
        select(devices.c.account_id, devices.c.device_id, devices.c.mqtt_password_hash).where(
            devices.c.provisioned_at.is_(None)
        )
    ).all()
    known = dict(credentials)
    for row in waiting:
        if known.get(row.device_id) == row.mqtt_password_hash:
            session.execute(
                update(devices)
                .where(
                    devices.c.account_id == row.account_id,
                    devices.c.device_id == row.device_id,
                    devices.c.mqtt_password_hash == row.mqtt_password_hash,
                )
                .values(provisioned_at=now)
            )


def tell_provisioner(session: Session) -> None:
    """Notify, at commit, that the set of broker credentials changed."""
    session.execute(select(func.pg_notify(CREDENTIALS_CHANNEL, "")))
