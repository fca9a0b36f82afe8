"""Devices, their broker credentials (hashes only) and what they last said of themselves."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
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
    true,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB

from tracker.domain.device import Device, DeviceSettings, SpeedUnit
from tracker.domain.errors import NotFound
from tracker.domain.plausibility import Fix
from tracker.store.schema import Id, id_from_int, id_to_int, metadata, moment
from tracker.store.session import Session, cursor_of

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
    # When it was given to its subject; null: when it was made.
    moment("given_at", nullable=True),
    moment("provisioned_at", nullable=True),
    moment("revoked_at", nullable=True),
    ForeignKeyConstraint(
        ["account_id", "subject_id"], ["subjects.account_id", "subjects.subject_id"], ondelete="CASCADE"
    ),
    Index("ix_devices_device_id", "device_id", unique=True),
    Index("ix_devices_account_id_subject_id", "account_id", "subject_id"),
    Index("uq_devices_account_id_external_id", "account_id", text("lower(external_id)"), unique=True),
)


AS_THE_DIALECT_SAYS = DeviceSettings()


directory = Table(
    "directory",
    metadata,
    Column("one", Boolean, CheckConstraint("one", name="one"), primary_key=True, server_default=true()),
    Column("version", BigInteger, nullable=False),
    Column("changed_by", BigInteger, nullable=False),
)
"""One row; triggers on devices and gateways move its version, once a transaction (`changed_by`)."""


class Owned(NamedTuple):
    """What ingest must know of a device.

    Whose it is, how it speaks, its payloads' sealed key, its last word of presence, its last accepted fix
    and, if a later one waits to be confirmed, that.
    """

    account_id: str
    subject_id: str
    device_id: str
    dialect: str
    external_id: str | None
    settings: DeviceSettings
    payload_key_sealed: bytes | None
    online: bool | None
    last: Fix | None
    held: Fix | None


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
    if not stored:
        return AS_THE_DIALECT_SAYS
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
    session: Session,
    account_id: str,
    device_id: str,
    *,
    name: str,
    subject_id: str,
    external_id: str | None,
    settings: DeviceSettings,
    given_at: datetime | None = None,
) -> None:
    """Store a device's new name, subject, external id and settings.

    `given_at` is when it was given to another subject; None: its subject stays.
    """
    values = {
        "name": name,
        "subject_id": subject_id,
        "external_id": external_id,
        "settings": settings_json(settings),
        **({"given_at": given_at} if given_at is not None else {}),
    }
    session.execute(
        update(devices)
        .where(devices.c.account_id == account_id, devices.c.device_id == device_id)
        .values(values)
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


_OWNED = """
SELECT account_id, device.subject_id, device_id, dialect, external_id,
       CASE WHEN settings <> '{}' THEN settings END, payload_key_sealed, online,
       extract(epoch FROM recorded_at)::float8, ST_Y(geom), ST_X(geom), accuracy_m,
       extract(epoch FROM held_at)::float8, ST_Y(held_geom), ST_X(held_geom)
FROM devices AS device LEFT JOIN last_positions USING (account_id, device_id)
"""
# One text of an array: psycopg would quote its members one by one.
_OWNED_BY_ID = _OWNED + "WHERE device_id = ANY(CAST(%s AS bigint[])) AND revoked_at IS NULL"
_OWNED_BY_EXTERNAL_ID = text(
    _OWNED + "WHERE revoked_at IS NULL AND (account_id, lower(external_id)) IN"  # noqa: S608 - no input
    " (SELECT * FROM unnest(CAST(:accounts AS bigint[]), CAST(:names AS text[])))"
)


def version(session: Session) -> int:
    """Return a number that moves with every committed change of what `owned` tells of any device or gateway.

    What ingest itself changes, presence and fixes, does not move it.
    """
    row = cursor_of(session).execute("SELECT version FROM directory").fetchone()
    return int(row[0]) if row else 0


def owned(session: Session, device_ids: Sequence[str]) -> dict[str, Owned]:
    """Return what ingest must know of each known, unrevoked device, keyed by device id; others are absent.

    Ingest asks for a thousand at a time, hence one array instead of a thousand parameters.
    """
    ids = "{" + ",".join(str(id_to_int(device_id)) for device_id in device_ids) + "}"
    rows = cursor_of(session).execute(_OWNED_BY_ID, (ids,)).fetchall()
    return {each.device_id: each for each in map(_owned, rows)}


def by_external_id(session: Session, wanted: Collection[tuple[str, str]]) -> dict[tuple[str, str], Owned]:
    """Return the unrevoked devices of these (account id, external id in lower case), keyed by the same."""
    # PostgreSQL takes no NUL, and no device of ours has one in its name.
    names = sorted((account, name) for account, name in wanted if "\0" not in name)
    parameters = {
        "accounts": [id_to_int(account) for account, _ in names],
        "names": [name for _, name in names],
    }
    found = map(_owned, session.execute(_OWNED_BY_EXTERNAL_ID, parameters))
    return {(each.account_id, (each.external_id or "").lower()): each for each in found}


def _owned(row: Any) -> Owned:
    account, subject, device, dialect, external_id, settings, sealed, online, *fixes = row
    at, lat, lon, accuracy_m, held_at, held_lat, held_lon = fixes
    return Owned(
        id_from_int(account),
        id_from_int(subject),
        id_from_int(device),
        dialect,
        external_id,
        settings_value(settings) if settings else AS_THE_DIALECT_SAYS,
        sealed,
        online,
        None if at is None else Fix(at, lat, lon, accuracy_m),
        None if held_at is None else Fix(held_at, held_lat, held_lon, None),
    )


def settings_of(session: Session, account_ids: Collection[str]) -> dict[str, dict[str, DeviceSettings]]:
    """Return, by account, the settings of the devices that differ from their dialect, by external id.

    The external ids are in lower case; an account without such devices is absent.
    """
    rows = session.execute(
        select(devices.c.account_id, func.lower(devices.c.external_id), devices.c.settings).where(
            devices.c.account_id.in_(account_ids),
            devices.c.external_id.is_not(None),
            devices.c.revoked_at.is_(None),
            devices.c.settings != text("'{}'::jsonb"),
        )
    )
    found: dict[str, dict[str, DeviceSettings]] = {}
    for account_id, external_id, settings in rows:
        found.setdefault(account_id, {})[external_id] = settings_value(settings)
    return found


def payload_keys(session: Session, account_ids: Collection[str]) -> dict[str, list[tuple[str, str, bytes]]]:
    """Return, by account, the (external id in lower case, device id, sealed key) of devices that encrypt."""
    rows = session.execute(
        select(
            devices.c.account_id,
            func.lower(devices.c.external_id),
            devices.c.device_id,
            devices.c.payload_key_sealed,
        ).where(
            devices.c.account_id.in_(account_ids),
            devices.c.external_id.is_not(None),
            devices.c.payload_key_sealed.is_not(None),
            devices.c.revoked_at.is_(None),
        )
    )
    found: dict[str, list[tuple[str, str, bytes]]] = {}
    for account_id, *key in rows:
        found.setdefault(account_id, []).append((key[0], key[1], key[2]))
    return found


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
