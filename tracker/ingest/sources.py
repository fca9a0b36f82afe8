"""Sources: brokers of others that this process reads, each leased so that no other process does.

The database says what is to be read; leases and states are written every few seconds by one thread, and each
source has a thread of its own (`foreign.py`).
"""

import secrets
import ssl
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial

import structlog

from tracker.domain.clock import Clock
from tracker.domain.errors import Misconfigured, Unavailable
from tracker.domain.source import SourceDetail, SourceState
from tracker.ingest.foreign import WAITING_MESSAGES, ForeignBroker, Submit
from tracker.store import sources
from tracker.store.seal import Sealer
from tracker.store.session import Database, Listener, Session
from tracker.store.sources import Served

SOURCES_PER_PROCESS = 50
RENEW_S = 3.0
LOOK_S = 1.0
END_WITHIN_S = 5.0

log = structlog.get_logger()

Note = tuple[str, SourceState, SourceDetail, datetime]


@dataclass(slots=True)
class _Reading:
    """A source being read: as it was when that began, and how much of its count is stored."""

    served: Served
    broker: ForeignBroker | None
    counted: int = 0


class Sources:
    """Reads the sources that this process holds and hands their messages to `submit` until told to stop.

    `submit` is called from several threads. Addresses that are not public are refused unless
    `private_allowed`. `tls` replaces the machine's own store of certificates. At most `most` sources are
    read, each with at most `most_waiting` messages that are not committed yet.
    """

    def __init__(
        self,
        database: Database,
        sealer: Sealer,
        submit: Submit,
        clock: Clock,
        *,
        private_allowed: bool,
        tls: ssl.SSLContext | None = None,
        most: int = SOURCES_PER_PROCESS,
        most_waiting: int = WAITING_MESSAGES,
    ) -> None:
        self._database = database
        self._sealer = sealer
        self._submit = submit
        self._clock = clock
        self._private_allowed = private_allowed
        self._tls = tls
        self._most = most
        self._most_waiting = most_waiting
        self._me = secrets.token_hex(8)
        self._reading: dict[str, _Reading] = {}
        self._notes: deque[Note] = deque()
        self._renewed_s = 0.0

    def run(self, stop: threading.Event) -> None:
        """Work until `stop` is set; then every connection is closed and every lease given back."""
        try:
            while not stop.is_set():
                try:
                    listener = self._database.listen(sources.SOURCES_CHANNEL)
                    try:
                        self._follow(listener, stop)
                    finally:
                        listener.close()
                except Unavailable as error:
                    log.warning("sources wait for the database", reason=str(error))
                    self._end_if_expired()
                    stop.wait(LOOK_S)
        finally:
            self._end_all()
            self._database.close()

    def _follow(self, listener: Listener, stop: threading.Event) -> None:
        while not stop.is_set():
            self._attend()
            until_s = time.monotonic() + RENEW_S
            while not stop.is_set() and time.monotonic() < until_s:
                if listener.wait(LOOK_S):
                    break
                if self._notes:
                    with self._transaction():
                        pass

    @contextmanager
    def _transaction(self) -> Iterator[Session]:
        """Open a transaction that stores states and counts first; if it fails they wait for the next one."""
        notes = list(self._notes)
        taken = {source_id: each.broker.taken for source_id, each in self._reading.items() if each.broker}
        with self._database.begin() as session:
            # Of several states of one source the last counts.
            for source_id, state, detail, at in {note[0]: note for note in notes}.values():
                if source_id in self._reading:
                    sources.note_state(session, self._me, source_id, state, detail, at)
            for source_id, count in taken.items():
                self._count(session, source_id, count)
            yield session
        for _ in notes:
            self._notes.popleft()
        for source_id, count in taken.items():
            self._reading[source_id].counted = count

    def _count(self, session: Session, source_id: str, taken: int) -> None:
        reading = self._reading[source_id]
        last_at = reading.broker.last_taken_at if reading.broker else None
        if last_at and taken > reading.counted:
            sources.count(session, source_id, taken - reading.counted, last_at)

    def _attend(self) -> None:
        """Write what has become of the sources, renew the leases, begin and end readings."""
        asked_s = time.monotonic()
        with self._transaction() as session:
            held = sources.lease(session, self._me, most=self._most, now=self._clock())
            wanted = {each.source.source_id: each for each in held}
            unwanted = sources.unwanted(session, self._reading.keys() - wanted.keys())
        self._renewed_s = asked_s
        for source_id, reading in list(self._reading.items()):
            there = wanted.get(source_id)
            if there is None:
                # What is another process' by now is read in the same session at the broker: had we its
                # topics forgotten, what comes until the other subscribes would be lost.
                self._end(source_id, reading.served.source.topics if source_id in unwanted else ())
            elif _differs(reading.served, there):
                gone = set(reading.served.source.topics) - set(there.source.topics)
                self._end(source_id, tuple(gone))
        for source_id, there in wanted.items():
            if source_id not in self._reading:
                self._begin(there)

    def _begin(self, served: Served) -> None:
        source = served.source
        tell = partial(self._note, source.source_id)
        broker: ForeignBroker | None = None
        try:
            login = sources.open_login(self._sealer, served)
        except Misconfigured:
            log.error("a source's sign-in cannot be opened", source=source.source_id)
            tell(SourceState.REFUSED, SourceDetail.LOGIN_UNREADABLE)
        else:
            broker = ForeignBroker(
                source,
                login,
                self._submit,
                tell,
                self._clock,
                private_allowed=self._private_allowed,
                tls=self._tls,
                most_waiting=self._most_waiting,
            )
            broker.start()
        self._reading[source.source_id] = _Reading(served, broker)

    def _note(self, source_id: str, state: SourceState, detail: SourceDetail) -> None:
        self._notes.append((source_id, state, detail, self._clock()))

    def _end(self, source_id: str, forget: tuple[str, ...]) -> None:
        broker = self._reading.pop(source_id).broker
        if broker:
            broker.stop(forget)
            broker.join(END_WITHIN_S)

    def _end_if_expired(self) -> None:
        """Close the connections once another process may have them: two would throw each other out."""
        if time.monotonic() - self._renewed_s > sources.LEASE.total_seconds():
            self._stop_all()
            self._reading.clear()

    def _stop_all(self) -> None:
        brokers = [each.broker for each in self._reading.values() if each.broker]
        for broker in brokers:
            broker.stop()
        give_up_s = time.monotonic() + END_WITHIN_S
        for broker in brokers:
            broker.join(max(0.0, give_up_s - time.monotonic()))

    def _end_all(self) -> None:
        self._stop_all()
        try:
            with self._transaction() as session:
                sources.release(session, self._me, tuple(self._reading))
        except Unavailable:
            log.warning("the leases of sources will end by themselves")


def _differs(before: Served, after: Served) -> bool:
    """Tell whether the owner has changed what a connection is made of, or wants it made anew."""
    old, new = before.source, after.source
    return (
        (old.url, old.topics, old.dialect) != (new.url, new.topics, new.dialect)
        or before.credentials_sealed != after.credentials_sealed
        or (new.state is SourceState.WAITING and new.state_at > old.state_at)
    )
