"""Where messages of sources wait for the reader: taken in order, and given back if nothing came of them."""

import threading
from collections import deque
from collections.abc import Callable
from datetime import datetime

from tracker.ingest.alarm import Alarm
from tracker.ingest.arrived import Arrived
from tracker.ingest.origin import Origin


class Handover:
    """Filled from any thread, emptied by one; what is taken stays known until it is settled."""

    def __init__(self) -> None:
        self._waiting: deque[Arrived] = deque()
        self._taken: dict[int, Arrived] = {}
        self._lock = threading.Lock()
        self.alarm = Alarm()

    def submit(
        self,
        origin: Origin,
        topic: str,
        payload: bytes,
        retained: bool,
        received_at: datetime,
        done: Callable[[], None],
    ) -> None:
        """Put a message last; `done` is called once it is committed."""
        self._waiting.append(Arrived(0, 0, topic, payload, received_at, retained, origin=origin, done=done))
        self.alarm.ring()

    def take(self) -> Arrived | None:
        """Return the first message, None if there is none."""
        with self._lock:
            if not self._waiting:
                return None
            arrived = self._waiting.popleft()
            self._taken[id(arrived)] = arrived
            return arrived

    def settle(self, arrived: Arrived) -> None:
        """Say that a message is committed."""
        with self._lock:
            self._taken.pop(id(arrived), None)
        if arrived.done is not None:
            arrived.done()

    def give_back(self) -> None:
        """Let every message that is not settled wait again, before the others: its transaction failed."""
        with self._lock:
            self._waiting.extendleft(reversed(self._taken.values()))
            self._taken.clear()

    def close(self) -> None:
        """Take no more notice of what is put here: nobody reads it."""
        self.alarm.close()
