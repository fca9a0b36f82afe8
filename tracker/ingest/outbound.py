"""What the service tells devices: so far, how much of their stream is committed. Pure."""

from dataclasses import dataclass

import msgspec

from tracker.ingest.topics import of_device


@dataclass(frozen=True, slots=True, kw_only=True)
class Ack:
    """Everything of one boot's stream up to and including `seq` is committed."""

    device_id: str
    boot: str
    seq: int

    @property
    def topic(self) -> str:
        """Where the device hears of it."""
        return of_device("tracker", self.device_id, "ack")

    @property
    def payload(self) -> bytes:
        """The JSON that says so."""
        return msgspec.json.encode({"boot": self.boot, "seq": self.seq})
