"""A device of ours as its maker would write it: paho, its own credentials, its own topics."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from tests.kit.waiting import until
from tracker.ingest.topics import of_device

Version = MQTTProtocolVersion


class WireDevice:
    """A signed-in client; `heard` is every message it received, as (topic, payload)."""

    def __init__(
        self,
        port: int,
        user: str,
        password: str,
        version: Version = Version.MQTTv311,
        *,
        client_id: str | None = None,
    ) -> None:
        self.user = user
        self.heard: list[tuple[str, bytes]] = []
        self.published: dict[int, int] = {}
        self.connections = 0
        self.disconnected = False
        self._up = threading.Event()
        self._subscribed: set[int] = set()
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=client_id or user, protocol=version)
        self._client.username_pw_set(user, password)
        # The broker ends the connection of whoever publishes where he may not.
        self._client.reconnect_delay_set(min_delay=0, max_delay=1)
        self._client.on_connect = self._on_connect
        self._client.on_message = lambda _c, _d, message: self.heard.append(
            (message.topic, bytes(message.payload))
        )
        self._client.on_disconnect = self._on_disconnect
        self._client.on_subscribe = lambda _c, _d, mid, _codes, _p: self._subscribed.add(mid)
        self._client.on_publish = lambda _c, _d, mid, code, _p: self.published.update({mid: code.value})
        self.refused: str | None = None
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        until(lambda: self._up.is_set() or self.refused, f"{user} to sign in")

    def _on_connect(self, _client: Any, _data: Any, _flags: Any, code: Any, _properties: Any) -> None:
        if code.is_failure:
            self.refused = str(code)
            self._client.disconnect()
        else:
            self.connections += 1
            self._up.set()

    def _on_disconnect(self, *_: Any) -> None:
        self.disconnected = True

    def _on_message(self, _client: Any, _data: Any, message: mqtt.MQTTMessage) -> None:
        self.heard.append((message.topic, bytes(message.payload)))

    def topic(self, *rest: str, root: str = "tracker") -> str:
        """One of its own topics."""
        return of_device(root, self.user, *rest)

    def publish(self, topic: str, payload: object, *, retain: bool = False, qos: int = 1) -> int:
        """Publish and wait for the broker; return the reason code, 0 for good."""
        body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        sent = self._client.publish(topic, body, qos=qos, retain=retain)
        until(lambda: sent.mid in self.published, "the broker to take a message")
        return self.published[sent.mid]

    def subscribe(self, topic_filter: str, qos: int = 1) -> None:
        """Subscribe and wait for the broker's answer, whatever it is."""
        _, mid = self._client.subscribe(topic_filter, qos)
        until(lambda: mid in self._subscribed, "the broker to take a subscription")

    def acked(self, boot: str) -> int:
        """The last sequence number of the stream that it may forget; -1 before there is one."""
        acks = [json.loads(payload) for topic, payload in list(self.heard) if topic == self.topic("ack")]
        return max((ack["seq"] for ack in acks if ack["boot"] == boot), default=-1)

    def close(self) -> None:
        """Sign off."""
        self._client.disconnect(
            properties=Properties(PacketTypes.DISCONNECT)  # type: ignore[no-untyped-call]
            if self._client.protocol == Version.MQTTv5
            else None
        )
        self._client.loop_stop()


@contextmanager
def wire_device(
    port: int, user: str, password: str, version: Version = Version.MQTTv311
) -> Iterator[WireDevice]:
    """Sign in for the length of a block."""
    device = WireDevice(port, user, password, version)
    try:
        yield device
    finally:
        device.close()
