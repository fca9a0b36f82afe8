"""One source: a connection to a broker of others, held by a thread of its own.

It speaks MQTT 5 and, where the broker does not, 3.1.1; it asks for a persistent session and acknowledges a
message once what it carried is committed. Reading stops while a thousand messages wait for that.
"""

import random
import select
import socket
import ssl
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import Any, Protocol

import paho.mqtt.client as mqtt
import structlog
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from tracker.domain.clock import Clock
from tracker.domain.network import Endpoint, endpoint_of
from tracker.domain.source import Source, SourceDetail, SourceLogin, SourceState
from tracker.ingest.addresses import Forbidden, chosen
from tracker.ingest.foreign_client import OPEN_TIMEOUT_S, PACKET_BYTES, ForeignClient, Trouble, unreachable
from tracker.ingest.origin import Origin, OriginKind

WAITING_MESSAGES = 1000
KEEPALIVE_S = 60
SESSION_EXPIRY_S = 24 * 3600
TURN_S = 0.5
FIRST_DELAY_S = 1.0
LONGEST_DELAY_S = 300.0
STEADY_AFTER_S = 60.0
STUCK_AFTER_S = 120.0
NO_RETAINED_MESSAGES = 2
REFUSED_FROM = 128
UNSUPPORTED_PROTOCOL = 132
LOGIN_REFUSED = frozenset({134, 135})  # bad user name or password; not authorized

log = structlog.get_logger()


class Submit(Protocol):
    """Takes a message over; it must not raise, and calls `done`, in any thread, once it is committed."""

    def __call__(
        self,
        origin: Origin,
        topic: str,
        payload: bytes,
        retained: bool,
        received_at: datetime,
        done: Callable[[], None],
    ) -> None: ...


class _Outdated(Exception):
    """The broker may not know the version of MQTT that we spoke."""


class ForeignBroker:
    """Serves one source until told to stop; `on_state` and `submit` are called in its own thread.

    Reading stops while `most_waiting` messages are not committed.
    """

    def __init__(
        self,
        source: Source,
        login: SourceLogin,
        submit: Submit,
        on_state: Callable[[SourceState, SourceDetail], None],
        clock: Clock,
        *,
        private_allowed: bool,
        tls: ssl.SSLContext | None = None,
        most_waiting: int = WAITING_MESSAGES,
    ) -> None:
        self._most_waiting = most_waiting
        self._source = source
        self._login = login
        self._submit = submit
        self._on_state = on_state
        self._clock = clock
        self._private_allowed = private_allowed
        self._tls = tls
        self._origin = Origin(
            kind=OriginKind.SOURCE,
            account_id=source.account_id,
            origin_id=source.source_id,
            dialect=source.dialect,
        )
        self._endpoint: Endpoint = endpoint_of(source.url)
        self._version_5 = True
        self._epoch = 0
        self._finished: deque[tuple[int, int]] = deque()
        self._waiting = 0
        self._moved_s = 0.0
        self._stop = threading.Event()
        self._forget: tuple[str, ...] = ()
        self._awake, self._waker = socket.socketpair()
        self._waker.setblocking(False)
        self.taken = 0
        """How many messages were committed."""
        self.last_taken_at: datetime | None = None
        self._thread = threading.Thread(target=self._run, name=f"source-{source.source_id}", daemon=True)

    def start(self) -> None:
        """Begin in a thread of its own."""
        self._thread.start()

    def stop(self, forget: tuple[str, ...] = ()) -> None:
        """Ask it to end; the broker is told to send no more of the topics `forget`."""
        self._forget = forget
        self._stop.set()
        self._wake()

    def join(self, timeout_s: float) -> None:
        """Wait for its end, at most `timeout_s`."""
        self._thread.join(timeout_s)

    def _run(self) -> None:
        delay_s = FIRST_DELAY_S
        try:
            while not self._stop.is_set():
                began_s = time.monotonic()
                self._on_state(SourceState.CONNECTING, SourceDetail.NONE)
                try:
                    self._serve(self._open())
                    return
                except Trouble as trouble:
                    self._on_state(trouble.state, trouble.detail)
                    log.info("a source waits", source=self._source.source_id, reason=str(trouble))
                except Exception as error:
                    # Paho raises errors of many kinds over what is no MQTT; no broker may end our reading.
                    self._on_state(SourceState.UNREACHABLE, SourceDetail.CONNECTION_LOST)
                    log.warning(
                        "a source cannot be read", source=self._source.source_id, error=type(error).__name__
                    )
                if time.monotonic() - began_s > STEADY_AFTER_S:
                    delay_s = FIRST_DELAY_S
                self._stop.wait(delay_s * random.uniform(0.5, 1.0))
                delay_s = min(delay_s * 2, LONGEST_DELAY_S)
        finally:
            self._awake.close()
            self._waker.close()

    def _open(self) -> ForeignClient:
        """Return a connection that is signed in and subscribed.

        Raises:
            Trouble: there is none now.
        """
        addresses = self._resolve()
        try:
            try:
                return self._sign_in(addresses)
            except _Outdated:
                if not self._version_5:
                    raise
                self._version_5 = False
                return self._sign_in(addresses)
        except _Outdated:
            self._version_5 = True
            raise Trouble(SourceState.UNREACHABLE, SourceDetail.CONNECTION_LOST) from None

    def _resolve(self) -> tuple[str, ...]:
        host, port = self._endpoint.host, self._endpoint.port
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            raise Trouble(SourceState.UNREACHABLE, SourceDetail.NO_SUCH_HOST) from None
        try:
            return chosen([str(each[4][0]) for each in found], private_allowed=self._private_allowed)
        except Forbidden:
            raise Trouble(SourceState.FORBIDDEN, SourceDetail.PRIVATE_ADDRESS) from None

    def _sign_in(self, addresses: tuple[str, ...]) -> ForeignClient:
        self._epoch += 1
        client = self._client(addresses)
        answers: list[ReasonCode] = []
        client.on_connect = lambda _client, _data, _flags, code, _properties: answers.append(code)
        client.on_subscribe = lambda _client, _data, _id, codes, _properties: answers.extend(codes)
        options: dict[str, Any] = {}
        if self._version_5:
            properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
            properties.SessionExpiryInterval = SESSION_EXPIRY_S
            properties.ReceiveMaximum = self._most_waiting
            properties.MaximumPacketSize = PACKET_BYTES
            options = {"clean_start": False, "properties": properties}
        try:
            client.connect(self._endpoint.host, self._endpoint.port, KEEPALIVE_S, **options)
            self._await(client, answers, 1)
            self._judge(answers[0])
            answers.clear()
            self._subscribe(client)
            self._await(client, answers, len(self._source.topics))
            if any(code.value >= REFUSED_FROM for code in answers):
                raise Trouble(SourceState.REFUSED, SourceDetail.TOPICS_REFUSED)
        except (OSError, ValueError) as error:
            raise unreachable(error) from None
        except BaseException:
            self._close(client)
            raise
        return client

    def _client(self, addresses: tuple[str, ...]) -> ForeignClient:
        version = MQTTProtocolVersion.MQTTv5 if self._version_5 else MQTTProtocolVersion.MQTTv311
        client = ForeignClient(
            CallbackAPIVersion.VERSION2,
            client_id=f"ryadom-{self._source.source_id}",
            clean_session=None if self._version_5 else False,
            protocol=version,
            manual_ack=True,
            reconnect_on_failure=False,
        )
        client.addresses = addresses
        client.connect_timeout = OPEN_TIMEOUT_S / 2
        if self._login.username:
            client.username_pw_set(self._login.username, self._login.password)
        if self._endpoint.tls:
            client.tls_set_context(self._tls or ssl.create_default_context())
        client.on_message = partial(self._take, self._epoch)
        return client

    def _subscribe(self, client: ForeignClient) -> None:
        if self._version_5:
            options = SubscribeOptions(qos=1, retainHandling=NO_RETAINED_MESSAGES)
            client.subscribe([(each, options) for each in self._source.topics])
        else:
            client.subscribe([(each, 1) for each in self._source.topics])

    def _await(self, client: ForeignClient, answers: list[ReasonCode], count: int) -> None:
        """Turn the loop until `count` answers are there."""
        give_up_s = time.monotonic() + OPEN_TIMEOUT_S
        while len(answers) < count:
            if time.monotonic() > give_up_s:
                raise Trouble(SourceState.UNREACHABLE, SourceDetail.NO_ANSWER)
            code = client.loop(timeout=0.1)
            if self._stop.is_set() or (code != MQTTErrorCode.MQTT_ERR_SUCCESS and len(answers) < count):
                raise _Outdated

    def _judge(self, code: ReasonCode) -> None:
        if not code.is_failure:
            return
        if code.value == UNSUPPORTED_PROTOCOL:
            raise _Outdated
        known = code.value in LOGIN_REFUSED
        detail = SourceDetail.LOGIN_REFUSED if known else SourceDetail.REFUSED
        raise Trouble(SourceState.REFUSED, detail)

    def _take(self, epoch: int, client: mqtt.Client, _data: Any, message: mqtt.MQTTMessage) -> None:
        topic = message._topic.decode("utf-8", "replace")
        if not any(mqtt.topic_matches_sub(each, topic) for each in self._source.topics):
            # Left over in the session from topics that its owner has given up.
            client.ack(message.mid, message.qos)
            return
        if not self._waiting:
            self._moved_s = time.monotonic()
        self._waiting += 1
        done = partial(self._finish, epoch, message.mid if message.qos else 0)
        self._submit(self._origin, topic, bytes(message.payload), message.retain, self._clock(), done)

    def _finish(self, epoch: int, ack_id: int) -> None:
        self._finished.append((epoch, ack_id))
        self._wake()

    def _wake(self) -> None:
        with suppress(OSError):  # it is awake already, or has ended
            self._waker.send(b"\0")

    def _serve(self, client: ForeignClient) -> None:
        """Serve a connection until told to stop.

        Raises:
            Trouble: it broke.
        """
        self._on_state(SourceState.CONNECTED, SourceDetail.NONE)
        try:
            while not self._stop.is_set():
                self._turn(client)
            self._acknowledge(client)
            if self._forget:
                client.unsubscribe(list(self._forget))
        except OSError:
            raise Trouble(SourceState.UNREACHABLE, SourceDetail.CONNECTION_LOST) from None
        finally:
            self._close(client)

    def _turn(self, client: ForeignClient) -> None:
        connected = client.socket()
        if connected is None:
            raise Trouble(SourceState.UNREACHABLE, SourceDetail.CONNECTION_LOST)
        room = self._waiting < self._most_waiting
        pending = room and isinstance(connected, ssl.SSLSocket) and connected.pending() > 0
        readers: list[Any] = [self._awake, *([connected] if room else [])]
        writers = [connected] if client.want_write() else []
        ready, _, _ = select.select(readers, writers, [], 0.0 if pending else TURN_S)
        if self._awake in ready:
            self._awake.recv(4096)
        if pending or connected in ready:
            self._check(client, client.loop_read())
        self._acknowledge(client)
        if client.want_write():
            self._check(client, client.loop_write())
        self._check(client, client.loop_misc())
        if self._waiting and time.monotonic() - self._moved_s > STUCK_AFTER_S:
            # They were lost on the way to the database; the broker still has those of QoS 1.
            self._waiting = 0
            raise Trouble(SourceState.UNREACHABLE, SourceDetail.NOT_TAKEN)

    def _acknowledge(self, client: ForeignClient) -> None:
        while self._finished:
            epoch, ack_id = self._finished.popleft()
            self._waiting = max(0, self._waiting - 1)
            self._moved_s = time.monotonic()
            self.taken += 1
            self.last_taken_at = self._clock()
            if ack_id and epoch == self._epoch:
                client.ack(ack_id, 1)

    def _check(self, client: ForeignClient, code: MQTTErrorCode) -> None:
        if client.too_large:
            raise Trouble(SourceState.REFUSED, SourceDetail.MESSAGE_TOO_LARGE)
        if code != MQTTErrorCode.MQTT_ERR_SUCCESS:
            raise Trouble(SourceState.UNREACHABLE, SourceDetail.CONNECTION_LOST)

    def _close(self, client: ForeignClient) -> None:
        with suppress(OSError):
            client.disconnect()
            client.loop_write()
        connected = client.socket()
        if connected is not None:
            with suppress(OSError):
                connected.close()
