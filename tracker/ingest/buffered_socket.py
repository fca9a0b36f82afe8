"""A socket that serves many small reads and writes with one system call each."""

import socket
import ssl
from contextlib import suppress

RECEIVE_BYTES = 256 * 1024


class BufferedSocket:
    """A socket that paho may read and write in small pieces: one system call serves many of them.

    Paho reads a packet in three pieces and sends each acknowledgement alone.
    """

    def __init__(self, inner: socket.socket) -> None:
        self._inner = inner
        self._read = b""
        self._at = 0
        self._unsent = bytearray()

    def recv(self, buffer_size: int) -> bytes:
        """Return up to `buffer_size` bytes; nothing at the end of the stream."""
        if self._at >= len(self._read):
            self._read = self._inner.recv(RECEIVE_BYTES)
            self._at = 0
        piece = self._read[self._at : self._at + buffer_size]
        self._at += len(piece)
        return piece

    @property
    def ahead(self) -> tuple[bytes, int]:
        """What was received, and how many bytes of it are read."""
        return self._read, self._at

    def skip_to(self, at: int) -> None:
        """Count the bytes of `ahead` up to `at` as read."""
        self._at = at

    def pending(self) -> int:
        """Return how many bytes can be read without asking the system."""
        inner = self._inner.pending() if isinstance(self._inner, ssl.SSLSocket) else 0
        return len(self._read) - self._at + inner

    def send(self, buffer: bytes | bytearray) -> int:
        """Keep the bytes for `flush`."""
        self._unsent += buffer
        return len(buffer)

    @property
    def unsent(self) -> bool:
        """Whether `flush` has something to do."""
        return bool(self._unsent)

    def flush(self) -> None:
        """Send what the system takes now; the rest stays.

        Raises:
            OSError: the connection broke.
        """
        try:
            while self._unsent:
                del self._unsent[: self._inner.send(self._unsent)]
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            pass

    def close(self) -> None:
        """Close the socket, sending what can still be sent at once."""
        with suppress(OSError):
            self.flush()
        self._inner.close()

    def fileno(self) -> int:
        """Return the descriptor to wait on."""
        return self._inner.fileno()

    def setblocking(self, flag: bool) -> None:
        """Make reads and writes wait, or not."""
        self._inner.setblocking(flag)
