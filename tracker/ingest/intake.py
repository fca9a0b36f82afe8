"""Takes single messages that came another way than by MQTT, and returns once they are committed."""

from collections.abc import Mapping
from datetime import datetime

from tracker.domain.clock import Clock
from tracker.domain.errors import Reason
from tracker.ingest.arrived import Arrived
from tracker.ingest.origin import Origin
from tracker.ingest.prepare import Preparer
from tracker.ingest.replays import outcome
from tracker.ingest.writer import Writer


class Intake:
    """Takes messages in the caller's thread, in a transaction of its own; any number at once."""

    def __init__(self, preparer: Preparer, writer: Writer, clock: Clock) -> None:
        self._preparer = preparer
        self._writer = writer
        self._clock = clock

    def take(
        self,
        origin: Origin,
        *,
        payload: bytes,
        received_at: datetime,
        topic: str = "",
        query: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> Reason | None:
        """Store what the message says; return why it, or the first refused part of it, was refused.

        What was refused lies in quarantine: sending it again does not help.

        Raises:
            Unavailable: the database is away; nothing is stored, and trying again helps.
        """
        arrived = Arrived(
            0, 0, topic, payload, received_at, origin=origin, query=query, headers=headers or {}
        )
        _, entries = self._writer.write([self._preparer.prepare(arrived)], self._clock())
        return outcome(entries[0])[0]
