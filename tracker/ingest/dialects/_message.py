"""What every dialect takes and gives. A dialect is pure: bytes in, reports out, identity only a claim."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Protocol, runtime_checkable

import msgspec

from tracker.domain.device import DeviceSettings
from tracker.domain.errors import Malformed, Reason
from tracker.domain.position import Position, Report, StreamMark


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One published message.

    `topic` is as the device wrote it: what our broker puts before a gateway's own topics is cut off; it is
    "" over HTTP, where `query` is the text behind the question mark and `headers` have lower-case names.
    `known` if our broker has checked whose topic that is, so that the message need not claim it. `retained`
    if a broker replays it; `payload_key` opens encrypted payloads, and `payload_keys`, by external id in
    lower case, those of the devices that the sender speaks for. `devices` are the settings of the
    devices that the sender may speak for, named alike; a device that speaks for itself has its own under "".
    """

    topic: str
    payload: bytes
    received_at: datetime
    known: bool = False
    retained: bool = False
    payload_key: bytes | None = None
    payload_keys: Mapping[str, bytes] = {}
    query: str = ""
    headers: Mapping[str, str] = {}
    devices: Mapping[str, DeviceSettings] = {}

    def key_of(self, external_id: str | None) -> bytes | None:
        """Return the key of the device that a message claims to be from; None if it has none here."""
        return self.payload_key or self.payload_keys.get((external_id or "").lower())

    def settings_of(self, external_id: str | None) -> DeviceSettings:
        """Return the settings of the device that a message claims to be from; the common ones if unknown."""
        own = self.devices.get("")
        return own or self.devices.get((external_id or "").lower(), DeviceSettings())


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One of the values that an assembling dialect sends message by message; None takes it back."""

    external_id: str | None
    name: str
    value: str | float | bool | None


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """One element of a message that was refused; `mark` is its place in the device's stream, if it told."""

    reason: Reason
    detail: str
    mark: StreamMark | None = None


class Decoded(msgspec.Struct, frozen=True, kw_only=True):
    """What a message says, element by element; all empty: it was legal and says nothing of interest."""

    reports: tuple[Report, ...] = ()
    problems: tuple[Problem, ...] = ()
    parts: tuple[Part, ...] = ()


NOTHING = Decoded()


@runtime_checkable
class Dialect(Protocol):
    """How one kind of device speaks.

    `root` is the first level of its topics on our own broker, with shard and device id behind it; None: its
    devices and gateways publish below `gateway/{s}/{id}/`. `topics` are the MQTT topic filters to subscribe
    to: below `root` with `+` for shard and id, else as its devices and gateways write them.
    """

    @property
    def name(self) -> str: ...
    @property
    def root(self) -> str | None: ...
    @property
    def topics(self) -> tuple[str, ...]: ...

    def decode(self, message: Message) -> Decoded:
        """Return what the message says.

        Raises:
            Malformed: nothing of it can be used.
        """
        ...


@runtime_checkable
class Assembling(Protocol):
    """A dialect whose positions come in parts: what came within `window` of the first makes one position."""

    @property
    def window(self) -> timedelta: ...

    def assemble(
        self, values: Mapping[str, Any], fresh: frozenset[str], received_at: datetime
    ) -> Position | None:
        """Return the position that all last known `values` tell, of which `fresh` came in this window.

        `received_at` is when the window's last part came. None: they make no new position.
        """
        ...


def one(report: Report) -> Decoded:
    """Return the decoding of a message that says one thing."""
    return Decoded(reports=(report,))


def problem(error: Malformed, mark: StreamMark | None = None) -> Problem:
    """Return the refusal of one element among others."""
    return Problem(reason=error.reason, detail=error.detail, mark=mark)
