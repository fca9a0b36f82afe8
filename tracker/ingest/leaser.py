"""Keeps this process' slots locked in a thread of its own: a long transaction must not cost them."""

import threading
from contextlib import closing

import structlog

from tracker.domain.errors import Unavailable
from tracker.ingest.alarm import Alarm
from tracker.ingest.slots import plan
from tracker.store.leases import Leases

LOOK_S = 1.0

log = structlog.get_logger()


class Leaser:
    """Leases slots by number; `held` is what this process may serve now, `giving` what it should let go."""

    def __init__(self, database_url: str, slots: int) -> None:
        self._database_url = database_url
        self._slots = range(slots)
        self._stop = threading.Event()
        self._let_go: set[int] = set()
        self._lock = threading.Lock()
        self.held: frozenset[int] = frozenset()
        self.giving: frozenset[int] = frozenset()
        self.alarm = Alarm()
        self._thread = threading.Thread(target=self._run, name="leases", daemon=True)

    def start(self) -> None:
        """Look for slots at once and then every second."""
        self._thread.start()

    def let_go(self, slot: int) -> None:
        """Say that a slot of `giving` is served no more."""
        with self._lock:
            self._let_go.add(slot)

    def close(self) -> None:
        """End every lease and the thread."""
        self._stop.set()
        self._thread.join(10)
        self.alarm.close()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                with closing(Leases(self._database_url)) as leases:
                    while not self._stop.is_set():
                        self._attend(leases)
                        self._stop.wait(LOOK_S)
            except Unavailable as error:
                log.warning("the leases wait for the database", reason=str(error))
            self._tell(frozenset(), frozenset())
            self._stop.wait(LOOK_S)

    def _attend(self, leases: Leases) -> None:
        with self._lock:
            gone, self._let_go = self._let_go, set()
        if gone:
            leases.release(gone)
        holders, alive = leases.look()
        decided = plan(self._slots, holders, leases.me, alive)
        taken = leases.take(sorted(decided.take))
        self._tell(decided.keep | taken, decided.give)

    def _tell(self, held: frozenset[int], giving: frozenset[int]) -> None:
        if (held, giving) != (self.held, self.giving):
            self.held, self.giving = held, giving
            self.alarm.ring()
