"""Messages as a broker would deliver them, without one."""

from datetime import UTC, datetime

from tracker.ingest.dialects._message import Message
from tracker.ingest.topics import of_device

DEVICE = "a123456789abcdef"
RECEIVED = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)


def message(
    root: str, payload: bytes, *rest: str, retained: bool = False, key: bytes | None = None
) -> Message:
    """Return a message of the device DEVICE, received at RECEIVED."""
    return Message(
        topic=of_device(root, DEVICE, *rest),
        payload=payload,
        received_at=RECEIVED,
        retained=retained,
        payload_key=key,
    )
