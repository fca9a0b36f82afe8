"""Reads a message as far as that can be done without asking the database. Pure.

It runs in the thread that reads the broker, while the writer waits for PostgreSQL.
"""

from collections.abc import Mapping

import msgspec
import structlog

from tracker.domain.device import DeviceSettings
from tracker.domain.errors import Malformed, Reason
from tracker.ingest.arrived import Arrived
from tracker.ingest.dialects._message import NOTHING, Decoded, Dialect, Message
from tracker.ingest.topics import GATEWAY, inner_topic, named_in, parse

NO_DIALECT = "none"
_BY_GATEWAY = f"{GATEWAY}/"

log = structlog.get_logger()


class Prepared(msgspec.Struct, frozen=True, gc=False):
    """A message and, if that is clear already, what it says or why it is refused.

    `sender_id` is the device or gateway that the topic names. `dialect` is None while the sender must be
    known to tell how he speaks, `decoded` until `decode` was called with what the database knows of him.
    """

    arrived: Arrived
    sender_id: str | None
    dialect: Dialect | None
    decoded: Decoded | None = None
    refused: Malformed | None = None


class Preparer:
    """Prepares messages; `dialects` by name."""

    def __init__(self, dialects: Mapping[str, Dialect]) -> None:
        self._by_root = {dialect.root: dialect for dialect in dialects.values() if dialect.root}

    def prepare(self, arrived: Arrived) -> Prepared:
        """Return the message, decoded if it needs no key and no settings."""
        if arrived.origin is not None:
            return Prepared(arrived, None, None)
        try:
            address = parse(arrived.topic, legible=arrived.legible)
        except Malformed as error:
            # The broker lets a device write below its own id only: it is told of its mistake.
            return Prepared(arrived, named_in(arrived.topic), None, NOTHING, _anew(error))
        if address.root == GATEWAY:
            return Prepared(arrived, address.device_id, None)
        dialect = self._by_root.get(address.root)
        if dialect is None:
            return Prepared(arrived, address.device_id, None, NOTHING, Malformed(Reason.BAD_TOPIC, "root"))
        decoded, refused = decode(dialect, arrived)
        if refused is not None and refused.reason is Reason.NO_KEY:
            return Prepared(arrived, address.device_id, dialect)
        return Prepared(arrived, address.device_id, dialect, decoded, refused)


def decode(
    dialect: Dialect,
    arrived: Arrived,
    *,
    payload_key: bytes | None = None,
    payload_keys: Mapping[str, bytes] | None = None,
    devices: Mapping[str, DeviceSettings] | None = None,
) -> tuple[Decoded, Malformed | None]:
    """Return what the message says, or nothing and why it is refused.

    A decoder that fails otherwise is a fault of ours; it is logged and costs that message alone.
    """
    # A gateway may speak a dialect that has a root of its own: the broker knows the gateway, not its devices.
    known = dialect.root is not None and arrived.origin is None and not arrived.topic.startswith(_BY_GATEWAY)
    message = Message(
        topic=arrived.topic if known or arrived.origin else inner_topic(arrived.topic),
        payload=arrived.payload,
        received_at=arrived.received_at,
        known=known,
        retained=arrived.retained,
        payload_key=payload_key,
        payload_keys=payload_keys or {},
        query=arrived.query,
        headers=arrived.headers,
        devices=devices or {},
    )
    try:
        return dialect.decode(message), None
    except Malformed as error:
        return NOTHING, _anew(error)
    except Exception as error:
        log.error("a decoder failed", dialect=dialect.name, error=type(error).__name__)
        return NOTHING, Malformed(Reason.WRONG_SHAPE, "the decoder failed")


def _anew(error: Malformed) -> Malformed:
    """Return the refusal without its trace, which holds every frame, and so the message in pieces."""
    return Malformed(error.reason, error.detail)
