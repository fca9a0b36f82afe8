"""A message as it reached the service, by whichever way."""

from collections.abc import Callable, Mapping
from datetime import datetime

import msgspec

from tracker.ingest.origin import Origin


class Arrived(msgspec.Struct, frozen=True, gc=False):
    """A message as it came.

    By our own broker `epoch` numbers the connection, `ack_id` is 0 if nothing is to be acknowledged, and the
    sender is whom the topic names. Otherwise `origin` is the sender, and `done` is called, in any thread,
    once the message is committed. `topic` has replacement characters, and `legible` is False, where it was no
    UTF-8. `query` and `headers` (lower-case names) came with an HTTP request.
    """

    epoch: int
    ack_id: int
    topic: str
    payload: bytes
    received_at: datetime
    retained: bool = False
    legible: bool = True
    origin: Origin | None = None
    query: str = ""
    headers: Mapping[str, str] = {}
    done: Callable[[], None] | None = None
    replay: bool = False
    """Whether it comes from quarantine, where it stays if it is refused again."""
