"""Who may hand in messages by a password: devices and gateways, by their id."""

from dataclasses import dataclass

from sqlalchemy import literal, select, union_all

from tracker.store.devices import devices
from tracker.store.gateways import gateways
from tracker.store.session import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """A device, or a gateway, that is not revoked, and the hash of its password."""

    account_id: str
    sender_id: str
    is_gateway: bool
    password_hash: str


def get(session: Session, sender_id: str) -> Sender | None:
    """Return the device or gateway with this id, or None; for telling who calls, never for showing."""
    query = union_all(
        *(
            select(table.c.account_id, literal(is_gateway).label("is_gateway"), table.c.mqtt_password_hash)
            .where(identity == sender_id)
            .where(table.c.revoked_at.is_(None))
            for table, identity, is_gateway in (
                (devices, devices.c.device_id, False),
                (gateways, gateways.c.gateway_id, True),
            )
        )
    )
    row = session.execute(query).first()
    if row is None:
        return None
    return Sender(
        account_id=row.account_id,
        sender_id=sender_id,
        is_gateway=row.is_gateway,
        password_hash=row.mqtt_password_hash,
    )
