"""Whether an address can be listened on, and whether somebody listens there."""

import socket

from tracker.domain.errors import Misconfigured


def require_free(host: str, port: int, setting: str) -> None:
    """Make sure that this program can listen on `host`:`port`.

    Raises:
        Misconfigured: it is taken or not this machine's; names `setting`, the variable to change.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise Misconfigured(
                f"cannot listen on {host}:{port} ({error.strerror}): set {setting} to a free address"
            ) from error


def answers(host: str, port: int, *, timeout_s: float = 1.0) -> bool:
    """Tell whether a TCP connection to `host`:`port` is accepted within `timeout_s`."""
    try:
        with socket.create_connection((host, port), timeout=timeout_s):
            return True
    except OSError:
        return False


def free_port(host: str = "127.0.0.1") -> int:
    """Return a port that was free a moment ago; another program may take it before you do."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port
