"""Paho for brokers of others: it calls checked addresses only, bounds packets, and names what failed."""

import socket
import ssl

import paho.mqtt.client as mqtt

from tracker.domain.source import SourceDetail, SourceState

PACKET_BYTES = 512 * 1024
OPEN_TIMEOUT_S = 10.0
ADDRESSES_TRIED = 4


class Trouble(Exception):
    """The connection did not come about, or broke: what to show its owner."""

    def __init__(self, state: SourceState, detail: SourceDetail) -> None:
        super().__init__(f"{state}: {detail}")
        self.state = state
        self.detail = detail


class _TooLarge(OSError):
    """A packet is announced that we would not take."""


class ForeignClient(mqtt.Client):
    """Paho that calls checked addresses instead of asking for the host's again, and bounds packets.

    `_create_socket_connection`, `_ssl_wrap_socket` and `_sock_recv` are where paho-mqtt 2.2 connects and
    reads; the version is locked by hash. The host's name stays what the certificate must prove.
    """

    addresses: tuple[str, ...] = ()
    too_large = False

    def _create_socket_connection(self) -> socket.socket:
        failure: OSError = ConnectionRefusedError()
        for address in self.addresses[:ADDRESSES_TRIED]:
            try:
                return socket.create_connection((address, self._port), timeout=OPEN_TIMEOUT_S / 2)
            except OSError as error:
                failure = error
        raise failure

    def _ssl_wrap_socket(self, tcp_sock: socket.socket) -> ssl.SSLSocket:
        # As paho does it, but a refused certificate leaves no socket open.
        if self._ssl_context is None:
            raise ValueError("no TLS was asked for")
        wrapped = self._ssl_context.wrap_socket(
            tcp_sock, server_hostname=self._host, do_handshake_on_connect=False
        )
        try:
            wrapped.settimeout(OPEN_TIMEOUT_S / 2)
            wrapped.do_handshake()
        except BaseException:
            wrapped.close()
            raise
        return wrapped

    def _sock_recv(self, bufsize: int) -> bytes:
        # Paho asks for all that is left of a packet, of up to 256 MiB.
        if bufsize > PACKET_BYTES:
            self.too_large = True
            raise _TooLarge
        return super()._sock_recv(bufsize)


def unreachable(error: Exception) -> Trouble:
    """Return what an error of connecting means."""
    details: tuple[tuple[type[Exception], SourceDetail], ...] = (
        (ssl.SSLCertVerificationError, SourceDetail.CERTIFICATE),
        (ssl.SSLError, SourceDetail.TLS),
        (ConnectionRefusedError, SourceDetail.CONNECTION_REFUSED),
        (OSError, SourceDetail.NO_ANSWER),
    )
    found = (detail for kind, detail in details if isinstance(error, kind))
    return Trouble(SourceState.UNREACHABLE, next(found, SourceDetail.NO_SUCH_HOST))
