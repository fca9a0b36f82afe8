"""Which device a message claims to be from, in the dialects whose gateways speak for many."""

from typing import Any

from tracker.domain.errors import Malformed, Reason
from tracker.ingest.dialects._fields import identity
from tracker.ingest.dialects._message import Message


def claimed(from_topic: Any, from_body: Any, message: Message) -> str | None:
    """Return the device's own name: what the topic says goes before the body.

    None: neither says it, and the sender speaks for itself.

    Raises:
        Malformed: NO_IDENTITY: neither says it, and the sender speaks for others.
    """
    found = identity(from_topic) or identity(from_body)
    if found is None and "" not in message.devices:
        raise Malformed(Reason.NO_IDENTITY, "device")
    return found
