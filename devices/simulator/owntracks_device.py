"""A phone with OwnTracks on Android: MQTT 3.1.1, a kept session, location messages at QoS 1 and retained.

The messages are those of the OwnTracks booklet (JSON, chapter "location" and "lwt"). There is no application
acknowledgement in that dialect: the phone forgets a location when the broker took it.
"""

import json
from collections import deque
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from paho.mqtt.enums import MQTTProtocolVersion

from devices.simulator.buffer import Buffer
from devices.simulator.credentials import Broker, DeviceCredentials
from devices.simulator.link import Link, SignIn, Will

SESSION_KEPT_S = 14 * 86_400
WINDOW = 20


@dataclass(frozen=True, slots=True)
class Location:
    """What the phone measured; `trigger` is OwnTracks' `t` and None for an automatic report."""

    time: datetime
    lat: float
    lon: float
    accuracy_m: float
    battery_pct: float
    altitude_m: float | None = None
    speed_mps: float | None = None
    course_deg: float | None = None
    trigger: str | None = None


class OwnTracksDevice:
    """A simulated OwnTracks phone. It answers the command `reportLocation` with its last location."""

    def __init__(
        self,
        *,
        broker: Broker,
        credentials: DeviceCredentials,
        signed_in_at: datetime,
        capacity: int = 10_000,
    ) -> None:
        self.device_id = credentials.device_id
        self.buffer: Buffer[Location] = Buffer(boot="", capacity=capacity)
        self._now_s = 0.0
        self._waiting: dict[int, int] = {}
        self._asked: deque[str] = deque(maxlen=10)
        self._last: Location | None = None
        self._tid = (credentials.name or credentials.device_id)[:2]
        self._topic = f"owntracks/{credentials.shard}/{credentials.device_id}"
        will = json.dumps({"_type": "lwt", "tst": int(signed_in_at.timestamp())}).encode()
        self.link = Link(
            broker=broker,
            sign_in=SignIn(
                credentials.device_id,
                credentials.password,
                MQTTProtocolVersion.MQTTv311,
                session_expiry_s=SESSION_KEPT_S,
            ),
            will=lambda: Will(self._topic, will, qos=0),
            on_up=self._up,
            on_message=self._message,
            on_broker_ack=self._taken_by_broker,
        )

    def record(self, location: Location) -> None:
        """Queue a location.

        Raises: BufferFull when the phone's queue is full.
        """
        self.buffer.add(location)
        self._last = location

    def tick(self, now_s: float) -> None:
        """Answer what was asked and send what is queued, oldest first."""
        self._now_s = now_s
        if not self.link.up:
            return
        while self._asked:
            if self._asked.popleft() == "reportLocation" and self._last is not None:
                self._publish(self._last, trigger="r")
        while taken := self.buffer.take(window=WINDOW, most=1, now_s=now_s):
            mid = self._publish(taken[0].item, trigger=taken[0].item.trigger)
            if mid is not None:
                self._waiting[mid] = taken[0].seq

    def sign_off(self) -> None:
        """Nothing is said: the app disconnects without a message."""

    def _publish(self, location: Location, *, trigger: str | None) -> int | None:
        payload = json.dumps(
            location_message(location, tid=self._tid, trigger=trigger), separators=(",", ":")
        )
        return self.link.publish(self._topic, payload.encode(), qos=1, retain=True)

    def _up(self) -> None:
        self._waiting.clear()
        self.buffer.rewind()
        self.link.subscribe(f"{self._topic}/cmd", qos=2)

    def _taken_by_broker(self, mid: int) -> None:
        seq = self._waiting.pop(mid, None)
        if seq is not None:
            self.buffer.acknowledge(boot="", seq=seq, now_s=self._now_s)

    def _message(self, _topic: str, payload: bytes) -> None:
        try:
            command = json.loads(payload)
        except ValueError:
            return
        if isinstance(command, dict) and command.get("_type") == "cmd":
            self._asked.append(str(command.get("action")))


def location_message(location: Location, *, tid: str, trigger: str | None) -> dict[str, Any]:
    """A `location` message: seconds since 1970, whole metres, km/h, degrees and percent; unknown members
    left out."""
    message: dict[str, Any] = {
        "_type": "location",
        "tid": tid,
        "tst": int(location.time.timestamp()),
        "lat": location.lat,
        "lon": location.lon,
        "acc": max(1, round(location.accuracy_m)),
        "batt": round(location.battery_pct),
        "bs": 1,
        "conn": "m",
        "m": 2,
    }
    if location.altitude_m is not None:
        message["alt"] = round(location.altitude_m)
    if location.speed_mps is not None:
        message["vel"] = round(location.speed_mps * 3.6)
    if location.course_deg is not None:
        message["cog"] = round(location.course_deg) % 360
    if trigger is not None:
        message["t"] = trigger
    return message
