"""Wakes a thread that waits on sockets."""

import socket
from contextlib import suppress


class Alarm:
    """May be rung from any thread, also while nobody listens; wait on it as on a socket."""

    def __init__(self) -> None:
        self._heard, self._rung = socket.socketpair()
        self._heard.setblocking(False)
        self._rung.setblocking(False)

    def ring(self) -> None:
        """Wake whoever waits; a closed alarm, or one rung often enough, needs no more."""
        with suppress(BlockingIOError, OSError):
            self._rung.send(b"\0")

    def clear(self) -> None:
        """Be silent until rung again."""
        with suppress(BlockingIOError):
            self._heard.recv(4096)

    def fileno(self) -> int:
        """Return the descriptor to wait on."""
        return self._heard.fileno()

    def close(self) -> None:
        """Give the descriptors back."""
        self._heard.close()
        self._rung.close()
