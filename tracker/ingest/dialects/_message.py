"""What every dialect takes and gives."""

from datetime import datetime
from typing import Protocol

import msgspec

from tracker.domain.errors import Malformed, Reason
from tracker.domain.position import Report, StreamMark
from tracker.ingest.topics import Address


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One published message; `retained` if the broker replays it, `payload_key` opens encrypted payloads."""

    topic: str
    address: Address
    payload: bytes
    received_at: datetime
    retained: bool = False
    payload_key: bytes | None = None


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """One element of a message that was refused; `mark` is its place in the device's stream, if it told."""

    reason: Reason
    detail: str
    mark: StreamMark | None = None


class Decoded(msgspec.Struct, frozen=True, kw_only=True):
    """What a message says, element by element; both empty: it was legal and says nothing of interest."""

    reports: tuple[Report, ...] = ()
    problems: tuple[Problem, ...] = ()


NOTHING = Decoded()


class Dialect(Protocol):
    """How one kind of device speaks below the topic root `root`; `subscriptions` are MQTT topic filters."""

    @property
    def name(self) -> str: ...
    @property
    def root(self) -> str: ...
    @property
    def subscriptions(self) -> tuple[str, ...]: ...

    def decode(self, message: Message) -> Decoded:
        """Return what the message says.

        Raises:
            Malformed: nothing of it can be used.
        """
        ...


def one(report: Report) -> Decoded:
    """Return the decoding of a message that says one thing."""
    return Decoded(reports=(report,))


def problem(error: Malformed, mark: StreamMark | None = None) -> Problem:
    """Return the refusal of one element among others."""
    return Problem(reason=error.reason, detail=error.detail, mark=mark)
