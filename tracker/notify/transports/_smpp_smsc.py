"""aiosmpplib's connection with our reading of what an SMSC sends.

The library ends for good at some answers and knows no TLS: `Smsc` overrides what connects, sends, takes leave
and reads a PDU, an answer or a request in aiosmpplib 0.7.4; the version is locked by hash. It keeps no
messages and logs nothing, since it would log numbers and texts.
"""

import asyncio
import logging
import ssl
import struct
from collections.abc import Awaitable, Container
from dataclasses import dataclass
from typing import Any, Protocol

from aiosmpplib import ESME, GenericNack, PduHeader, SmppCommand, SmppCommandStatus, SmppError, SubmitSm
from aiosmpplib.broker import AbstractBroker
from aiosmpplib.correlator import SimpleCorrelator
from aiosmpplib.hook import AbstractHook
from aiosmpplib.retrytimer import SimpleExponentialBackoff
from aiosmpplib.throttle import AbstractThrottleHandler

PDU_BYTES = 66 * 1024
"""The longest PDU that is read: one with the longest `message_payload`."""
HEADER = struct.Struct("!4I")
ENQUIRE_EVERY_S = 30.0
SOCKET_TIMEOUT_S = 5.0
FIRST_RETRY_MS, DOUBLINGS = 250, 6
TASKS = frozenset({"Receiver", "Sender", "Connection keeper"})
"""What the library calls the tasks of one connection."""
ID_LENGTH = 65


@dataclass(frozen=True, slots=True, kw_only=True)
class SmppAddress:
    """Where an SMSC listens and as whom to bind; `tls` None: in the clear."""

    host: str
    port: int
    system_id: str
    password: str
    system_type: str
    tls: ssl.SSLContext | None


class Told(Protocol):
    """Who is told of what goes out and comes in; in the loop's thread."""

    def on_sending(self, part: SubmitSm) -> None: ...
    def on_not_sent(self, part: SubmitSm) -> None: ...
    def on_answer(self, sequence: int, status: int, smsc_id: str) -> None: ...
    def on_untrusted(self) -> None: ...
    def on_bound(self, status: Any) -> None: ...
    def on_delivery(self, body: bytes) -> None: ...


class Smsc(ESME):  # type: ignore[misc]  # the library has no types
    """The library's connection, with our reading of what comes in."""

    def __init__(self, address: SmppAddress, queue: "Queue", told: Told) -> None:
        super().__init__(
            address.host,
            address.port,
            address.system_id,
            address.password,
            address.system_type,
            broker=queue,
            hook=_Hook(told),
            correlator=_Forgetful(address.system_id),
            throttle_handler=_NeverMute(),
            retry_timer=SimpleExponentialBackoff(FIRST_RETRY_MS, DOUBLINGS),
            enquire_link_interval=ENQUIRE_EVERY_S,
            socket_timeout=SOCKET_TIMEOUT_S,
            # It would log numbers and texts.
            log_handler=logging.NullHandler(),
            log_level=logging.CRITICAL,
        )
        self._told = told
        self._tls = address.tls
        self._opened: asyncio.StreamWriter | None = None

    async def connect(self) -> None:
        self.hang_up()
        try:
            await _or_broken(super().connect())
        finally:
            self._opened = self._writer

    async def _socket_operation(self, coro: Awaitable[Any]) -> Any:
        """Await what the library does with the socket; a connection turns to TLS before it is used.

        Raises:
            OSError: it did not end in time, or the SMSC has no TLS or no certificate that is trusted.
        """
        done = await super()._socket_operation(coro)
        # The library opens connections here and gives no other place to say how.
        if self._tls is not None and isinstance(done, tuple) and isinstance(done[-1], asyncio.StreamWriter):
            await self._turn_to_tls(done[-1], self._tls)
        return done

    async def _turn_to_tls(self, writer: asyncio.StreamWriter, tls: ssl.SSLContext) -> None:
        try:
            await super()._socket_operation(writer.start_tls(tls, server_hostname=self.smsc_host))
        except BaseException as error:
            writer.close()
            if isinstance(error, ssl.SSLCertVerificationError):
                self._told.on_untrusted()
            raise

    async def _disconnect(self) -> None:
        try:
            await super()._disconnect()
        except NotImplementedError:
            # TLS cannot be closed by half; the SMSC's answer to our leave ends the connection.
            self._writer = None

    async def _send_data(self, smpp_message: Any) -> None:
        await _or_broken(super()._send_data(smpp_message))

    def hang_up(self) -> None:
        """Close the last connection: the library only forgets it."""
        if self._opened is not None:
            self._opened.close()

    async def _get_pdu(self) -> tuple[bytes, PduHeader]:
        """Read the next PDU of a known command; a status that only this vendor knows is "unknown".

        Raises:
            ConnectionError: it says an impossible length.
        """
        while True:
            head = await self._reader.readexactly(HEADER.size)
            length, command, status, sequence = HEADER.unpack(head)
            if not HEADER.size <= length <= PDU_BYTES:
                raise ConnectionError("a PDU of impossible length")
            body = await self._reader.readexactly(length - HEADER.size)
            if command not in _COMMANDS:
                continue
            known = status if status in _STATUSES else SmppCommandStatus.ESME_RUNKNOWNERR
            return head + body, PduHeader(
                pdu_length=length,
                smpp_command=SmppCommand(command),
                command_status=SmppCommandStatus(known),
                sequence_num=sequence,
            )

    async def _handle_response(self, pdu: bytes, header: PduHeader) -> None:
        if header.smpp_command in {SmppCommand.SUBMIT_SM_RESP, SmppCommand.GENERIC_NACK}:
            smsc_id = pdu[HEADER.size : HEADER.size + ID_LENGTH].split(b"\0")[0].decode("latin-1")
            self._told.on_answer(header.sequence_num, header.command_status.value, smsc_id)

    async def _handle_request(self, pdu: bytes, header: PduHeader) -> Any:
        if header.smpp_command == SmppCommand.DELIVER_SM:
            self._told.on_delivery(pdu[HEADER.size :])
            # Whatever is returned here has the request answered; the library reads no more of it.
            return GenericNack(header.sequence_num)
        return await _or_broken(super()._handle_request(pdu, header))


async def _or_broken(operation: Awaitable[Any]) -> Any:
    """Await the library's own reading: what it does not expect ends this connection, not all of them.

    Raises:
        ConnectionError: it met something that it does not handle.
    """
    try:
        return await operation
    except (SmppError, OSError, EOFError, ValueError):
        raise
    except Exception as error:
        raise ConnectionError(type(error).__name__) from error


_COMMANDS = frozenset(each.value for each in SmppCommand)
_STATUSES = frozenset(each.value for each in SmppCommandStatus)


class _Hook(AbstractHook):  # type: ignore[misc]
    def __init__(self, told: Told) -> None:
        self._told = told

    async def sending(self, message: Any, pdu: bytes, client_id: str) -> None:  # noqa: ARG002
        if isinstance(message, SubmitSm):
            self._told.on_sending(message)

    async def received(self, message: Any, pdu: bytes, client_id: str) -> None:  # noqa: ARG002
        if message is not None and message.smpp_command == SmppCommand.BIND_TRANSCEIVER_RESP:
            self._told.on_bound(message.command_status)

    async def send_error(self, message: Any, error: Exception, client_id: str) -> None:  # noqa: ARG002
        self._told.on_not_sent(message)


class Queue(AbstractBroker):  # type: ignore[misc]
    """Parts to be sent. One that nobody waits for any more is dropped: it will come again by the outbox."""

    def __init__(self, wanted: Container[str]) -> None:
        self._wanted = wanted
        self._queue: asyncio.Queue[SubmitSm] = asyncio.Queue(maxsize=2500)

    async def enqueue(self, message: SubmitSm) -> None:
        await self._queue.put(message)

    async def dequeue(self) -> SubmitSm:
        while True:
            part = await self._queue.get()
            if part.log_id in self._wanted:
                return part


class _Forgetful(SimpleCorrelator):  # type: ignore[misc]
    """Keeps nothing: the library would hold each number and text for three days."""

    async def put(self, smpp_message: Any) -> None:
        """Forget it."""


class _NeverMute(AbstractThrottleHandler):  # type: ignore[misc]
    """The library's own stops all sending for minutes after one answer "throttled"; the outbox waits."""

    async def throttled(self) -> None:
        """Take note of nothing."""

    async def not_throttled(self) -> None:
        """Take note of nothing."""

    async def allow_request(self) -> bool:
        return True

    async def throttle_delay(self) -> float:
        return 0.0
