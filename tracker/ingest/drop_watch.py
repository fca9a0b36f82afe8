"""Raises the alarm when the broker throws messages away: it is the one loss that ingest cannot see.

Mosquitto counts what it dropped because a queue was full (`max_queued_bytes`) in a topic of its own. The
count begins anew with the broker, so only growth tells.
"""

import threading

import paho.mqtt.client as mqtt
import structlog
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from prometheus_client import CollectorRegistry, Counter

from tracker.ingest.client import BrokerAddress

DROPPED = "$SYS/broker/publish/messages/dropped"
TURN_S = 1.0
RETRY_S = 10.0

log = structlog.get_logger()


class DropWatch:
    """Counts, and tells the log, what one Mosquitto drops."""

    def __init__(self, broker: BrokerAddress, registry: CollectorRegistry) -> None:
        self._broker = broker
        self._last: int | None = None
        self._dropped = Counter(
            "tracker_broker_dropped_messages", "Messages that the broker threw away", registry=registry
        )

    def run(self, stop: threading.Event) -> None:
        """Watch until `stop` is set; a broker that is away, or counts nothing, is asked again and again."""
        while not stop.is_set():
            client = mqtt.Client(
                CallbackAPIVersion.VERSION2,
                client_id=self._broker.name,
                protocol=MQTTProtocolVersion.MQTTv5,
                reconnect_on_failure=False,
            )
            client.username_pw_set(self._broker.username, self._broker.password)
            if self._broker.tls:
                client.tls_set()
            client.on_connect = lambda client, *_: client.subscribe(DROPPED)
            client.on_message = lambda _client, _data, message: self.hear(bytes(message.payload))
            try:
                client.connect(self._broker.host, self._broker.port)
                while not stop.is_set() and client.loop(TURN_S) == MQTTErrorCode.MQTT_ERR_SUCCESS:
                    pass
                client.disconnect()
            except OSError:
                log.debug("the broker cannot be watched now")
            stop.wait(RETRY_S)

    def hear(self, payload: bytes) -> None:
        """Take the broker's count; what it grew by since the last one was lost."""
        if not payload.isdigit():
            return
        count = int(payload)
        if self._last is not None and count > self._last:
            lost = count - self._last
            self._dropped.inc(lost)
            log.error("the broker threw messages away: its queues are full", messages=lost)
        self._last = count
