"""A small service that speaks the wire contract: keeps positions, acknowledges unbroken runs of numbers."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import cbor2
import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from tests.kit.broker import TestBroker
from tests.kit.waiting import until

SERVICE_USER = "svc-ingest-0"


@dataclass
class AckingService:
    """What arrived. With `deaf` nothing is kept and nothing acknowledged; with `mute` it is kept in
    silence."""

    deaf: bool = False
    mute: bool = False
    positions: dict[tuple[str, str, int], dict[str, Any]] = field(default_factory=dict)
    arrivals: list[tuple[str, str, int]] = field(default_factory=list)
    messages: list[tuple[str, bytes]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    send: Callable[[str, bytes], object] = lambda _topic, _body: None
    _marks: dict[tuple[str, str], int] = field(default_factory=dict)

    def recorded(self, device_id: str) -> list[str]:
        """The times stored for a device, in the order of their numbers."""
        with self.lock:
            return [each["time"] for key, each in sorted(self.positions.items()) if key[0] == device_id]

    def statuses(self, device_id: str) -> list[bytes]:
        """What the device's status topic said, oldest first."""
        with self.lock:
            return [body for topic, body in self.messages if topic.endswith(f"{device_id}/status")]

    def received(self, client: mqtt.Client, _data: object, message: mqtt.MQTTMessage) -> None:
        """Keep a message and acknowledge what is unbroken."""
        root, shard, device_id, kind, *rest = [*message.topic.split("/"), ""]
        with self.lock:
            if self.deaf:
                return
            self.messages.append((message.topic, bytes(message.payload)))
            if root != "tracker" or kind != "position":
                return
            document = cbor2.loads(message.payload) if rest[0] == "cbor" else json.loads(message.payload)
            for each in document if isinstance(document, list) else [document]:
                key = (device_id, str(each["boot"]), int(each["seq"]))
                self.arrivals.append(key)
                self.positions[key] = each
            boot = self.arrivals[-1][1]
            mark = self._unbroken(device_id, boot)
            if self.mute:
                return
        if mark:
            body = json.dumps({"boot": boot, "seq": mark})
            client.publish(f"tracker/{shard}/{device_id}/ack", body, qos=1)

    def _unbroken(self, device_id: str, boot: str) -> int:
        mark = self._marks.get((device_id, boot), 0)
        while (device_id, boot, mark + 1) in self.positions:
            mark += 1
        self._marks[device_id, boot] = mark
        return mark


@contextmanager
def acking_service(broker: TestBroker, *, deaf: bool = False, mute: bool = False) -> Iterator[AckingService]:
    """Run the service against the broker until the end of the block; its session survives a broken
    connection."""
    service = AckingService(deaf=deaf, mute=mute)
    client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=SERVICE_USER, protocol=mqtt.MQTTv5)
    client.username_pw_set(SERVICE_USER, broker.password(SERVICE_USER))
    client.reconnect_delay_set(1, 1)
    client.on_message = service.received
    service.send = lambda topic, body: client.publish(topic, body, qos=1)
    subscribed = threading.Event()

    def connected(*_arguments: object) -> None:
        client.subscribe([("tracker/#", SubscribeOptions(qos=1)), ("owntracks/#", SubscribeOptions(qos=1))])

    client.on_connect = connected
    client.on_subscribe = lambda *_arguments: subscribed.set()
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    properties.SessionExpiryInterval = 3600
    client.connect("127.0.0.1", broker.port, clean_start=False, properties=properties)
    client.loop_start()
    until(subscribed.is_set, "the service to be subscribed")
    try:
        yield service
    finally:
        client.disconnect()
        client.loop_stop()
