"""An ingest in a process of its own, so that a test can kill it; run as `python -m tests.ingest.process`."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from tests.ingest.conftest import SECRET_KEY
from tests.kit.broker import TestBroker
from tracker import registry
from tracker.domain.clock import utc_now
from tracker.ingest.client import BrokerAddress
from tracker.ingest.service import Ingest
from tracker.store.seal import Sealer
from tracker.store.session import Database


def start(database_url: str, broker: TestBroker, *, slots: int = 1) -> subprocess.Popen[bytes]:
    """Start an ingest of `slots` slots; the caller ends it."""
    passwords = [broker.password(f"svc-ingest-{number}") for number in range(slots)]
    arguments = [sys.executable, "-m", __name__, database_url, str(broker.port), *passwords]
    return subprocess.Popen(arguments, stdout=subprocess.DEVNULL)


@contextmanager
def started(database_url: str, broker: TestBroker, *, slots: int) -> Iterator[subprocess.Popen[bytes]]:
    """As `start`; killed at the end."""
    running = start(database_url, broker, slots=slots)
    try:
        yield running
    finally:
        running.kill()
        running.wait()


def main(database_url: str, port: str, *passwords: str) -> None:
    """Ingest until killed."""
    slots = [
        BrokerAddress(
            host="127.0.0.1", port=int(port), tls=False, username=f"svc-ingest-{number}", password=password
        )
        for number, password in enumerate(passwords)
    ]
    dialects = registry.load("tracker.ingest.dialects", "DIALECT")
    Ingest(Database(database_url), Sealer(SECRET_KEY), slots, dialects, utc_now).run(threading.Event())


if __name__ == "__main__":
    main(*sys.argv[1:])
