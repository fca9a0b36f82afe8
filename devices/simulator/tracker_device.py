"""A native device: the topics and payloads of the wire contract, over MQTT 5 with store and forward.

Topics, with `{s}` the first character of the device id:

    tracker/{s}/{id}/position        up    a JSON object or an array, oldest first, each with "boot", "seq"
    tracker/{s}/{id}/position/cbor   up    the same in CBOR
    tracker/{s}/{id}/status          up    online / offline (last will), not retained
    tracker/{s}/{id}/ack             down  {"boot", "seq"}: everything up to here is committed
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import cbor2
from paho.mqtt.enums import MQTTProtocolVersion

from devices.simulator.buffer import Buffer, Held
from devices.simulator.credentials import Broker, DeviceCredentials
from devices.simulator.link import Link, SignIn, Will


@dataclass(frozen=True, slots=True)
class Position:
    """What the device measured: the time (aware) and the members of the contract beside it, in its units."""

    time: datetime
    lat: float
    lon: float
    more: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Habits:
    """How a device sends: `window` positions may be unacknowledged, `per_message` share a message, and after
    `patience_s` without progress it begins again with the oldest kept."""

    capacity: int = 10_000
    window: int = 200
    per_message: int = 1
    patience_s: float = 10.0


class TrackerDevice:
    """A simulated native tracker. `boot` is a random text, new at every start of the device.

    `on_committed` is called with each position once the service acknowledged it, oldest first, exactly once.
    """

    def __init__(
        self,
        *,
        broker: Broker,
        credentials: DeviceCredentials,
        boot: str,
        habits: Habits,
        on_committed: Callable[[Position], None],
    ) -> None:
        self.device_id = credentials.device_id
        self.buffer: Buffer[Position] = Buffer(boot=boot, capacity=habits.capacity)
        self.bad_acks = 0
        self.resends = 0
        self._habits = habits
        self._cbor = credentials.encoding == "cbor"
        self._on_committed = on_committed
        self._now_s = 0.0
        base = f"tracker/{credentials.shard}/{credentials.device_id}"
        self._position_topic = f"{base}/position/cbor" if self._cbor else f"{base}/position"
        self._status_topic = f"{base}/status"
        self._ack_topic = f"{base}/ack"
        self.link = Link(
            broker=broker,
            sign_in=SignIn(credentials.device_id, credentials.password, MQTTProtocolVersion.MQTTv5),
            will=lambda: Will(self._status_topic, b"offline", qos=1),
            on_up=self._up,
            on_message=self._message,
            on_broker_ack=lambda _mid: None,
        )

    def record(self, position: Position) -> int:
        """Put a position into the device's memory and return its number within the boot.

        Raises: BufferFull when the memory is full of unacknowledged positions.
        """
        return self.buffer.add(position)

    def tick(self, now_s: float) -> None:
        """Send what the window allows; after a stall begin again with the oldest kept."""
        self._now_s = now_s
        if not self.link.up:
            return
        if self.buffer.stalled(patience_s=self._habits.patience_s, now_s=now_s):
            self.resends += 1
            self.buffer.rewind()
        while taken := self.buffer.take(
            window=self._habits.window, most=self._habits.per_message, now_s=now_s
        ):
            self.link.publish(self._position_topic, self._payload(taken), qos=1)

    def sign_off(self) -> None:
        """Say offline in so many words: a proper disconnect makes no last will."""
        self.link.publish(self._status_topic, b"offline", qos=1)

    def _up(self) -> None:
        self.buffer.rewind()
        self.link.subscribe(self._ack_topic, qos=1)
        self.link.publish(self._status_topic, b"online", qos=1)

    def _message(self, topic: str, payload: bytes) -> None:
        if topic != self._ack_topic:
            return
        try:
            ack = json.loads(payload)
            boot, seq = str(ack["boot"]), int(ack["seq"])
        except (ValueError, KeyError, TypeError):
            self.bad_acks += 1
            return
        for held in self.buffer.acknowledge(boot=boot, seq=seq, now_s=self._now_s):
            self._on_committed(held.item)

    def _payload(self, taken: tuple[Held[Position], ...]) -> bytes:
        positions = [position_members(held.item, boot=self.buffer.boot, seq=held.seq) for held in taken]
        document = positions[0] if len(positions) == 1 else positions
        if self._cbor:
            return cbor2.dumps(document)
        return json.dumps(document, separators=(",", ":")).encode()


def position_members(position: Position, *, boot: str, seq: int) -> dict[str, Any]:
    """One position as the contract's object; the time is RFC 3339 UTC with milliseconds."""
    return {
        "time": timestamp(position.time),
        "lat": position.lat,
        "lon": position.lon,
        **position.more,
        "boot": boot,
        "seq": seq,
    }


def timestamp(moment: datetime) -> str:
    """RFC 3339 in UTC with milliseconds and `Z`; finer parts are cut off."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
