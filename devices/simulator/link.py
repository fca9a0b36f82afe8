"""One MQTT connection at a time, kept up for ever, driven from outside: no thread, no lock.

Every connection is a fresh client with an empty queue of its own. A client that carried its unacknowledged
messages over to the next connection would send them ahead of older ones that the broker acknowledged and
then lost; what is worth sending again is known to the device that owns the link, and it starts from the
oldest.
"""

import random
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from devices.simulator.credentials import Broker

BACKOFF_FIRST_S = 0.25
BACKOFF_LAST_S = 15.0
CONNECT_PATIENCE_S = 10.0
KEEPALIVE_S = 30


@dataclass(frozen=True, slots=True)
class Will:
    """What the broker publishes when the connection is lost; never retained."""

    topic: str
    payload: bytes
    qos: int


@dataclass(frozen=True, slots=True)
class SignIn:
    """Who signs in, and how. `session_expiry_s` 0 asks for a clean start (MQTT 5) or a clean session (MQTT
    3.1.1)."""

    username: str
    password: str
    protocol: MQTTProtocolVersion
    session_expiry_s: int = 0


@dataclass(slots=True)
class LinkCounts:
    """What happened on all connections of a link."""

    connects: int = 0
    refused: int = 0
    losses: int = 0
    published: int = 0
    broker_acked: int = 0
    broker_refused: int = 0


class Link:
    """A connection that comes back with growing, random pauses of 0.25 to 15 s.

    `on_up` is called after each successful sign-in, `on_message(topic, payload)` for each message received
    and `on_broker_ack(packet identifier)` for each message that the broker took. They run inside
    `readable`; the last two must not publish.
    """

    def __init__(
        self,
        *,
        broker: Broker,
        sign_in: SignIn,
        will: Callable[[], Will],
        on_up: Callable[[], None],
        on_message: Callable[[str, bytes], None],
        on_broker_ack: Callable[[int], None],
    ) -> None:
        self.counts = LinkCounts()
        self.up = False
        self._broker = broker
        self._sign_in = sign_in
        self._will = will
        self._on_up = on_up
        self._on_message = on_message
        self._on_broker_ack = on_broker_ack
        self._client: mqtt.Client | None = None
        self._pause_s = BACKOFF_FIRST_S
        self._next_try_s = 0.0
        self._give_up_s = 0.0
        self._just_up = False

    @property
    def socket(self) -> socket.socket | None:
        """The socket to wait on, or None while there is no connection."""
        found = None if self._client is None else self._client.socket()
        return found if isinstance(found, socket.socket) else None

    @property
    def wants_write(self) -> bool:
        """True when bytes wait for the socket to take them."""
        return self._client is not None and self._client.want_write()

    def readable(self) -> None:
        """Take in what arrived."""
        self._settle(None if self._client is None else self._client.loop_read())
        # What TLS has already decrypted does not make the socket readable again.
        while (
            isinstance(found := self.socket, ssl.SSLSocket) and found.pending() and self._client is not None
        ):
            self._settle(self._client.loop_read())
        if self._just_up:
            self._just_up = False
            self._on_up()

    def writable(self) -> None:
        """Send on what waits."""
        self._settle(None if self._client is None else self._client.loop_write())

    def tick(self, now_s: float) -> None:
        """Keep the connection alive, or try anew when the pause is over; call it several times a second."""
        if self._client is None:
            if now_s >= self._next_try_s:
                self._connect(now_s)
            return
        if not self.up and now_s > self._give_up_s:
            self._lose(now_s)
            return
        self._settle(self._client.loop_misc(), now_s)

    def subscribe(self, topic: str, qos: int) -> None:
        """Ask for a topic on the present connection; nothing happens without one."""
        if self._client is not None and self.up:
            self._client.subscribe(topic, qos=qos)

    def publish(self, topic: str, payload: bytes, *, qos: int, retain: bool = False) -> int | None:
        """Send one message and return its packet identifier, or None when there is no connection."""
        if self._client is None or not self.up:
            return None
        sent = self._client.publish(topic, payload, qos=qos, retain=retain)
        if sent.rc == MQTTErrorCode.MQTT_ERR_SUCCESS:
            self.counts.published += 1
        return sent.mid

    def close(self) -> None:
        """Sign off in order; the broker then publishes no last will."""
        if self._client is not None:
            self._client.disconnect()
        self._drop()

    def _connect(self, now_s: float) -> None:
        self._next_try_s = now_s + self._pause_s * random.uniform(0.75, 1.25)
        self._pause_s = min(self._pause_s * 2, BACKOFF_LAST_S)
        self._give_up_s = now_s + CONNECT_PATIENCE_S
        client = self._new_client()
        v5 = self._sign_in.protocol == MQTTProtocolVersion.MQTTv5
        properties = Properties(PacketTypes.CONNECT) if v5 else None  # type: ignore[no-untyped-call]
        if properties is not None:
            properties.SessionExpiryInterval = self._sign_in.session_expiry_s
        try:
            client.connect(
                self._broker.host,
                self._broker.port,
                keepalive=KEEPALIVE_S,
                clean_start=self._sign_in.session_expiry_s == 0 if v5 else mqtt.MQTT_CLEAN_START_FIRST_ONLY,
                properties=properties,
            )
        except (OSError, ValueError):
            # Nobody listens, or the handshake failed: the broker is away and the pause above is the answer.
            self.counts.refused += 1
            return
        self._client = client

    def _new_client(self) -> mqtt.Client:
        v5 = self._sign_in.protocol == MQTTProtocolVersion.MQTTv5
        client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id=self._sign_in.username,
            clean_session=None if v5 else self._sign_in.session_expiry_s == 0,
            protocol=self._sign_in.protocol,
            reconnect_on_failure=False,
        )
        client.username_pw_set(self._sign_in.username, self._sign_in.password)
        client.connect_timeout = CONNECT_PATIENCE_S
        client.max_inflight_messages_set(1000)
        if self._broker.tls:
            client.tls_set_context(ssl.create_default_context())
        will = self._will()
        client.will_set(will.topic, will.payload, qos=will.qos, retain=False)
        client.on_connect = self._connected
        client.on_publish = self._published
        client.on_message = self._received
        return client

    def _connected(
        self,
        _client: mqtt.Client,
        _data: object,
        _flags: mqtt.ConnectFlags,
        reason: ReasonCode,
        _properties: object,
    ) -> None:
        if reason.is_failure:
            self.counts.refused += 1
            return
        self.up = True
        self._just_up = True
        self._pause_s = BACKOFF_FIRST_S
        self.counts.connects += 1

    def _published(
        self, _client: mqtt.Client, _data: object, mid: int, reason: ReasonCode, _properties: object
    ) -> None:
        if reason.is_failure:
            self.counts.broker_refused += 1
        else:
            self.counts.broker_acked += 1
            self._on_broker_ack(mid)

    def _received(self, _client: mqtt.Client, _data: object, message: mqtt.MQTTMessage) -> None:
        self._on_message(message.topic, bytes(message.payload))

    def _settle(self, result: MQTTErrorCode | None, now_s: float | None = None) -> None:
        if result is not None and result != MQTTErrorCode.MQTT_ERR_SUCCESS:
            self._lose(now_s)

    def _lose(self, now_s: float | None) -> None:
        if self.up:
            self.counts.losses += 1
        self._drop()
        if now_s is not None:
            self._next_try_s = max(self._next_try_s, now_s + self._pause_s * random.uniform(0.75, 1.25))

    def _drop(self) -> None:
        self.up = False
        self._just_up = False
        found = self.socket
        if found is not None:
            found.close()
        self._client = None
