"""Notes that ingest works, so that a tick does not take an outage of ours for a silence of a device."""

import threading
from datetime import datetime, timedelta

from tracker.store import heartbeats
from tracker.store.session import Session

EVERY = timedelta(seconds=10)
INGEST = "ingest"
BEFORE = "ingest before"
"""Row that keeps when ingest last worked before its last interruption ..."""
BACK = "ingest back"
"""... and the row that keeps since when it has been working again."""
AWAY = timedelta(seconds=60)
"""Ingest that has not worked for longer is away: the broker, the database or the process is down."""
CATCHES_UP = timedelta(minutes=2)
"""After an interruption devices and the broker bring what waited; silence is not told before."""


class Heartbeat:
    """Writes the heartbeat of a process, at most every ten seconds; several threads may use it."""

    def __init__(self, name: str = INGEST) -> None:
        self._name = name
        self._lock = threading.Lock()
        self._next: datetime | None = None

    def beat(self, session: Session, now: datetime) -> None:
        """Note that it works at `now`."""
        with self._lock:
            if self._next is not None and now < self._next:
                return
            self._next = now + EVERY
        last = heartbeats.last_unless_locked(session, self._name)
        if last is None:
            heartbeats.begin(session, self._name, now)
            return
        if now - last > AWAY:
            heartbeats.beat(session, BEFORE, last)
            heartbeats.beat(session, BACK, now)
        heartbeats.beat(session, self._name, now)


def known_until(session: Session, now: datetime) -> datetime | None:
    """Return up to when devices that told something were heard by us; None: ingest never worked."""
    last = heartbeats.last(session, INGEST)
    if last is None:
        return None
    if now - last > AWAY:
        return last
    back, before = heartbeats.last(session, BACK), heartbeats.last(session, BEFORE)
    if back is not None and before is not None and now - back < CATCHES_UP:
        return before
    return now
