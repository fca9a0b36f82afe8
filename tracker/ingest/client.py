"""One connection to the broker: paho on a buffered socket, acknowledging only what it is told to.

Everything happens in the thread that calls: there is no paho thread. A connection that broke is thrown away
and a new one made; the broker keeps the session and sends again what was not acknowledged.
"""

import select
import struct
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import paho.mqtt.client as mqtt
import structlog
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from tracker.domain.clock import Clock
from tracker.domain.errors import Unavailable
from tracker.ingest.alarm import Alarm
from tracker.ingest.arrived import Arrived
from tracker.ingest.buffered_socket import BufferedSocket
from tracker.ingest.plain_publish import next_publish

KEEPALIVE_S = 60
SESSION_EXPIRY_S = 14 * 24 * 3600
OPEN_TIMEOUT_S = 10.0
NO_RETAINED_MESSAGES = 2
UNACKNOWLEDGED_OUT = 20
"""How many of our own messages may be under way: what a broker of default settings takes."""
REFUSED_FROM = 128
PACKET_BYTES = 512 * 1024
PUBACK = struct.Struct("!BBH")

log = structlog.get_logger()


Plain = Sequence[Any]
"""Topic, acknowledgement id (0 at QoS 0), payload and retain flag of a message."""
PLAIN_AT_ONCE = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerAddress:
    """Where the broker listens and as whom to sign in; `client_id` is the user name if not said."""

    host: str
    port: int
    tls: bool
    username: str
    password: str
    client_id: str = ""

    @property
    def name(self) -> str:
        """What tells this session from others: the client id."""
        return self.client_id or self.username


class _Client(mqtt.Client):
    """Paho with our socket and a shorter way for common messages.

    `_create_socket` is where paho-mqtt 2.2 makes its socket and `_handle_publish` where it unpacks a message;
    the version is locked by hash.
    """

    buffered: BufferedSocket
    receive: Callable[[Sequence[Plain]], None] | None = None
    """Gets topic, acknowledgement id, payload and retain flag of messages."""

    def _handle_publish(self) -> MQTTErrorCode:
        # A message without MQTT 5 properties, which is nearly every one: paho would make and clear an object
        # of 27 properties for it, half of its time.
        head, packet = self._in_packet["command"], self._in_packet["packet"]
        qos = head >> 1 & 3
        topic_end = 2 + int.from_bytes(packet[:2], "big")
        properties_at = topic_end + (2 if qos else 0)
        if self.receive is None or qos > 1 or packet[properties_at : properties_at + 1] != b"\0":
            return super()._handle_publish()
        ack_id = int.from_bytes(packet[topic_end:properties_at], "big")
        content = bytes(packet[properties_at + 1 :])
        self.receive([(bytes(packet[2:topic_end]), ack_id, content, bool(head & 1))])
        return MQTTErrorCode.MQTT_ERR_SUCCESS

    def take_plain(self) -> None:
        """Receive up to 256 plain messages that are whole in the buffer; paho reads others."""
        if self.receive is None or self._in_packet["command"]:
            return
        buffer, at = self.buffered.ahead
        plain: list[Plain] = []
        while len(plain) < PLAIN_AT_ONCE and (found := next_publish(buffer, at)) is not None:
            at, *message = found
            plain.append(message)
        if plain:
            self.buffered.skip_to(at)
            self.receive(plain)

    def acknowledge(self, ack_id: int) -> None:
        """Acknowledge a message at QoS 1, past paho's queue: each packet is put in the buffer whole."""
        self.buffered.send(PUBACK.pack(0x40, 2, ack_id))

    def _create_socket(self) -> BufferedSocket:
        self.buffered = BufferedSocket(super()._create_socket())  # type: ignore[arg-type]
        return self.buffered


class Connection:
    """One signed-in connection of a persistent session; made by `open_connection`."""

    def __init__(self, client: _Client, epoch: int) -> None:
        self.epoch = epoch
        self._client = client

    @property
    def buffered(self) -> BufferedSocket:
        """The socket to wait on."""
        return self._client.buffered

    def read(self, enough: Callable[[], bool]) -> None:
        """Handle what has arrived until it is `enough` or nothing is left.

        Raises:
            Unavailable: the connection broke.
        """
        self._check(self._client.loop_read())
        while self._client.buffered.pending() and not enough():
            self._client.take_plain()
            if self._client.buffered.pending() and not enough():
                self._check(self._client.loop_read())

    def acknowledge(self, ack_id: int) -> None:
        """Tell the broker that this message of this connection need not come again."""
        self._client.acknowledge(ack_id)

    def publish(self, topic: str, payload: bytes) -> None:
        """Publish at QoS 1, not retained; lost if the connection breaks before the broker has it."""
        self._client.publish(topic, payload, qos=1)

    def turn(self) -> None:
        """Send what waits to be sent, and pings when they are due.

        Raises:
            Unavailable: the connection broke.
        """
        if self._client.want_write():
            self._check(self._client.loop_write())
        self._check(self._client.loop_misc())
        try:
            self._client.buffered.flush()
        except OSError as error:
            raise Unavailable("the broker connection broke") from error

    def close(self) -> None:
        """Sign off and close; the broker keeps the session."""
        try:
            self._client.disconnect()
            self._client.loop_write()
        except OSError:
            log.debug("the broker was gone before we signed off")

    def _check(self, code: MQTTErrorCode) -> None:
        if code != MQTTErrorCode.MQTT_ERR_SUCCESS:
            raise Unavailable(f"the broker connection broke: {mqtt.error_string(code)}")


def wait(
    connections: Collection[Connection],
    timeout_s: float,
    *,
    read: Callable[[Connection], bool],
    wake: Iterable[Alarm],
) -> None:
    """Wait until there is something to read (of those wanted), to send, or an alarm of `wake` was rung.

    Raises:
        Unavailable: a connection broke.
    """
    sockets = [each.buffered for each in connections]
    readers: list[Any] = [each.buffered for each in connections if read(each)]
    if any(each.pending() for each in readers):
        timeout_s = 0.0
    alarms = list(wake)
    writers = [each for each in sockets if each.unsent]
    try:
        ready, _, _ = select.select([*alarms, *readers], writers, [], timeout_s)
    except (OSError, ValueError) as error:
        raise Unavailable("the broker connection is closed") from error
    for alarm in alarms:
        if alarm in ready:
            alarm.clear()


def open_connection(
    address: BrokerAddress,
    epoch: int,
    subscriptions: Sequence[str],
    receive: Callable[[Sequence[Arrived]], None],
    clock: Clock,
    *,
    unacknowledged: int,
) -> Connection:
    """Sign in to the broker's persistent session, subscribe, and return the connection.

    `receive` gets messages within `Connection.read`, in their order; at most about `unacknowledged` of them
    wait for an acknowledgement. Retained messages are not replayed.

    Raises:
        Unavailable: the broker cannot be reached, or refuses us.
    """
    client = _client(address)
    answers: list[str] = []

    def take(plain: Sequence[Plain]) -> None:
        received_at = clock()
        receive([_arrived(message, epoch, received_at) for message in plain])

    client.receive = take
    client.on_message = lambda _client, _data, message: take(
        [(message._topic, message.mid if message.qos else 0, bytes(message.payload), message.retain)]
    )
    client.on_connect = _on_connect(subscriptions, answers)
    client.on_subscribe = lambda _client, _data, _id, codes, _properties: answers.append(
        _first_refusal(codes)
    )
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    properties.SessionExpiryInterval = SESSION_EXPIRY_S
    properties.ReceiveMaximum = unacknowledged
    properties.MaximumPacketSize = PACKET_BYTES
    _shake_hands(client, address, properties, answers, clean_start=False)
    return Connection(client, epoch)


def accepts(address: BrokerAddress) -> bool:
    """Tell whether the broker signs this user in now.

    Raises:
        Unavailable: nobody answers.
    """
    client = _client(address)
    answers: list[str] = []
    client.on_connect = lambda _client, _data, _flags, code, _properties: answers.append(
        str(code) if code.is_failure else ""
    )
    try:
        _shake_hands(client, address, None, answers, clean_start=True)
    except Refusal:
        return False
    Connection(client, 0).close()
    return True


class Refusal(Unavailable):
    """The broker answers, but does not let us in: the password is wrong, or not provisioned yet."""


def _client(address: BrokerAddress) -> _Client:
    client = _Client(
        CallbackAPIVersion.VERSION2,
        client_id=address.name,
        protocol=MQTTProtocolVersion.MQTTv5,
        manual_ack=True,
        reconnect_on_failure=False,
    )
    client.username_pw_set(address.username, address.password)
    client.max_inflight_messages_set(UNACKNOWLEDGED_OUT)
    # With a callback here paho queues packets instead of sending each at once; `turn` sends them together.
    client.on_socket_register_write = lambda _client, _data, _socket: None
    if address.tls:
        client.tls_set()
    return client


def _arrived(plain: Plain, epoch: int, received_at: datetime) -> Arrived:
    topic, ack_id, payload, retained = plain
    try:
        return Arrived(epoch, ack_id, topic.decode(), payload, received_at, retained)
    except UnicodeDecodeError:
        legible = topic.decode("utf-8", "replace")
        return Arrived(epoch, ack_id, legible, payload, received_at, retained, legible=False)


def _on_connect(subscriptions: Sequence[str], answers: list[str]) -> Callable[..., None]:
    options = SubscribeOptions(qos=1, retainHandling=NO_RETAINED_MESSAGES)

    def connected(client: mqtt.Client, _data: Any, _flags: Any, code: ReasonCode, _properties: Any) -> None:
        if code.is_failure:
            answers.append(str(code))
            return
        client.subscribe([(topic_filter, options) for topic_filter in subscriptions])

    return connected


def _first_refusal(codes: list[ReasonCode]) -> str:
    return next((str(code) for code in codes if code.value >= REFUSED_FROM), "")


def _shake_hands(
    client: _Client,
    address: BrokerAddress,
    properties: Properties | None,
    answers: list[str],
    *,
    clean_start: bool,
) -> None:
    """Connect and turn the loop until the last answer is there."""
    give_up_s = time.monotonic() + OPEN_TIMEOUT_S
    client.connect_timeout = OPEN_TIMEOUT_S / 2
    try:
        client.connect(
            address.host, address.port, KEEPALIVE_S, clean_start=clean_start, properties=properties
        )
        while not answers:
            if time.monotonic() > give_up_s:
                raise Unavailable("the broker does not answer")
            client.loop_write()
            client.buffered.flush()
            if not client.buffered.pending():
                select.select([client.buffered], [], [], 0.1)
            code = client.loop_read()
            if code != MQTTErrorCode.MQTT_ERR_SUCCESS and not answers:
                raise Unavailable(f"the broker closed the connection: {mqtt.error_string(code)}")
    except (OSError, ValueError) as error:
        raise Unavailable("the broker cannot be reached") from error
    if answers[0]:
        raise Refusal(f"the broker refuses {address.username}: {answers[0]}")
