"""One request to a push service whose address a browser gave us, and which therefore may be anybody's.

Its host must be on the public internet, and it is the address that was looked at which is connected to: a
name that answers differently the second time gains nothing. Redirects are not followed, the machine's proxies
have no say, no body is read, and whatever the service does the request ends in time.
"""

import socket
import ssl
import threading
import time
from collections.abc import Iterable, Mapping
from typing import Any

import httpcore

from tracker.domain.errors import Refused, Unavailable
from tracker.domain.network import is_public

WHOLE_S = 15.0
_TIMEOUTS = {"connect": 3.0, "read": 6.0, "write": 3.0, "pool": 3.0}
_CONNECTIONS = 16


class NotPublic(Refused):
    """The host is not on the public internet."""


class PushService:
    """Posts messages; safe for use by several threads, which share its connections."""

    def __init__(self, tls: ssl.SSLContext, *, private_allowed: bool) -> None:
        self._deadline = _Deadline()
        self._pool = httpcore.ConnectionPool(
            ssl_context=tls,
            max_connections=_CONNECTIONS,
            keepalive_expiry=30.0,
            network_backend=_Guarded(self._deadline, private_allowed=private_allowed),
        )

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> int:
        """Return the status of the answer.

        Raises:
            Unavailable: none came in time.
            NotPublic: the host is none that may be called.
        """
        self._deadline.at_s = time.monotonic() + WHOLE_S
        try:
            with self._pool.stream(
                "POST", url, headers=list(headers.items()), content=body, extensions={"timeout": _TIMEOUTS}
            ) as response:
                return response.status
        except (
            httpcore.NetworkError,
            httpcore.TimeoutException,
            httpcore.ProtocolError,
            httpcore.UnsupportedProtocol,
            ValueError,  # what an address or answer of nonsense raises on the way
        ) as error:
            raise Unavailable(f"the push service does not answer: {type(error).__name__}") from None

    def close(self) -> None:
        """Close its connections."""
        self._pool.close()


class _Deadline(threading.local):
    """When the request of this thread must have ended, `time.monotonic()`."""

    at_s = 0.0

    def left_s(self, most_s: float | None) -> float:
        """Return how long one step may take.

        Raises:
            httpcore.ReadTimeout: the time is up.
        """
        left_s = self.at_s - time.monotonic()
        if left_s <= 0:
            raise httpcore.ReadTimeout("the time is up")
        return left_s if most_s is None else min(left_s, most_s)


class _Guarded(httpcore.NetworkBackend):
    """Connects to public addresses only."""

    def __init__(self, deadline: _Deadline, *, private_allowed: bool) -> None:
        self._deadline = deadline
        self._private_allowed = private_allowed
        self._backend = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError("no such host") from error
        addresses = list(dict.fromkeys(str(each[4][0]) for each in found))
        if not self._private_allowed and not all(is_public(each) for each in addresses):
            raise NotPublic("the push service is not on the public internet")
        failure: Exception = httpcore.ConnectError("no address")
        for address in addresses[:2]:
            try:
                stream = self._backend.connect_tcp(
                    address, port, self._deadline.left_s(timeout), local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
            else:
                return _Timed(stream, self._deadline)
        raise failure


class _Timed(httpcore.NetworkStream):
    """A stream whose every step ends by the deadline."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: _Deadline) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._deadline.left_s(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._deadline.left_s(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        secured = self._stream.start_tls(ssl_context, server_hostname, self._deadline.left_s(timeout))
        return _Timed(secured, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
