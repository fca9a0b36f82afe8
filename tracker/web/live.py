"""The live map's stream: one LISTEN connection a process wakes the streams, which read the new state.

State, not messages, is sent: a stream that was slow or cut off reads what is true now and misses nothing
that still matters, so it needs no queue that could overflow.
"""

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog

from tracker.domain.access import Viewer
from tracker.domain.errors import TooMany, Unavailable
from tracker.domain.position import Placed
from tracker.store.access import LIVE_CHANNEL, Access
from tracker.store.session import Session
from tracker.web.context import Services
from tracker.web.geojson import feature

HEARTBEAT_S = 15.0
RECHECK_S = 1.0
PAUSE_S = 0.1
"""The least time between two reads of one stream, so that a flood of positions is read in gulps."""
RESUME_OVERLAP = timedelta(seconds=2)
"""A transaction may commit this much after its clock time; a resumed stream looks back that far."""
STREAMS_PER_SESSION = 8
_RETRY_MS = 2000

log = structlog.get_logger()


@dataclass(eq=False)
class Subscription:
    """One open stream: whose it is, and the flag that something of his account changed."""

    account_id: str
    session_id: str
    changed: threading.Event = field(default_factory=threading.Event)


class LiveStreams:
    """The open streams of one process."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._lock = threading.Lock()
        self._open: set[Subscription] = set()
        self._listener: threading.Thread | None = None
        self._stopping = threading.Event()

    def subscribe(self, viewer: Viewer) -> Subscription:
        """Open a stream for a session; `unsubscribe` must follow.

        Raises:
            TooMany: the session has 8 streams already.
        """
        subscription = Subscription(account_id=viewer.account_id, session_id=viewer.session_id)
        with self._lock:
            own = sum(each.session_id == viewer.session_id for each in self._open)
            if own >= STREAMS_PER_SESSION:
                raise TooMany(int(HEARTBEAT_S))
            self._open.add(subscription)
            if self._listener is None:
                self._listener = threading.Thread(target=self._listen, name="live", daemon=True)
                self._listener.start()
        return subscription

    def unsubscribe(self, subscription: Subscription) -> None:
        """Forget a stream that ended."""
        with self._lock:
            self._open.discard(subscription)

    def stop(self) -> None:
        """End every stream within a second; safe in a signal handler's greenlet."""
        self._stopping.set()
        self._wake(None)

    def _wake(self, account_id: str | None) -> None:
        with self._lock:
            woken = [each for each in self._open if account_id in (None, each.account_id)]
        for each in woken:
            each.changed.set()

    def _listen(self) -> None:
        pause_s = 0.5
        while not self._stopping.is_set():
            try:
                listener = self._services.database.listen(LIVE_CHANNEL)
            except Unavailable:
                self._stopping.wait(pause_s)
                pause_s = min(pause_s * 2, 5.0)
                continue
            pause_s = 0.5
            # What happened while nobody listened is found by reading everything again.
            self._wake(None)
            try:
                while not self._stopping.is_set():
                    for _, account_id in listener.wait(1.0):
                        self._wake(account_id)
            except Unavailable:
                log.warning("live map waits for the database")
            finally:
                listener.close()

    def events(self, subscription: Subscription, token: str, resume_after: datetime | None) -> Iterator[str]:
        """Yield the stream's text until the session ends, the service stops or the reader goes.

        `resume_after` is the moment of the last event the reader got; None sends every subject's state.
        """
        yield f"retry: {_RETRY_MS}\n\n"
        told: dict[str, tuple[str, datetime]] = {}
        spoke_at = time.monotonic()
        viewer: Viewer | None = None
        checked_at = -RECHECK_S
        while not self._stopping.is_set():
            subscription.changed.clear()
            try:
                with self._services.database.begin() as session:
                    if viewer is None or time.monotonic() - checked_at >= RECHECK_S:
                        viewer = self._still_signed_in(session, token)
                        checked_at = time.monotonic()
                    if viewer is None:
                        return
                    read_at, news = _news(Access(session, viewer), told, resume_after)
                    resume_after = None
            except Unavailable:
                self._stopping.wait(1.0)
                subscription.changed.set()
                news = []
            for placed in news:
                yield event(placed, read_at, self._services.clock())
                told[placed.subject_id] = _version(placed)
            if news:
                spoke_at = time.monotonic()
            elif time.monotonic() - spoke_at >= HEARTBEAT_S:
                yield ": ping\n\n"
                spoke_at = time.monotonic()
            self._stopping.wait(PAUSE_S)
            subscription.changed.wait(max(0.0, spoke_at + HEARTBEAT_S - time.monotonic()))

    def _still_signed_in(self, session: Session, token: str) -> Viewer | None:
        found = self._services.accounts.authenticate(session, token, self._services.clock())
        return found[1] if found else None


def _version(placed: Placed) -> tuple[str, datetime]:
    return placed.device_id, placed.position.recorded_at


def _news(
    access: Access, told: dict[str, tuple[str, datetime]], resume_after: datetime | None
) -> tuple[datetime, list[Placed]]:
    """Return the database's time and the last positions that the reader does not have.

    A resumed reader has everything but what changed since; that is noted in `told`.
    """
    read_at = access.database_time()
    states = access.last_positions()
    if resume_after is not None:
        since = access.last_positions(updated_after=resume_after - RESUME_OVERLAP)
        changed = {placed.subject_id for placed in since}
        told.update(
            {placed.subject_id: _version(placed) for placed in states if placed.subject_id not in changed}
        )
    return read_at, [placed for placed in states if told.get(placed.subject_id) != _version(placed)]


def event(placed: Placed, read_at: datetime, now: datetime) -> str:
    """Return one `position` event; its id is the moment, in microseconds, from which to resume."""
    data: dict[str, Any] = {
        "subject_id": placed.subject_id,
        "device_id": placed.device_id,
        "feature": feature(placed, now),
    }
    number = round(read_at.timestamp() * 1_000_000)
    return f"event: position\nid: {number}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"


def resume_moment(last_event_id: str | None) -> datetime | None:
    """Return the moment that a `Last-Event-ID` names, or None if it names none."""
    if not last_event_id or not last_event_id.isascii() or not last_event_id.isdigit():
        return None
    if len(last_event_id) > 17:
        return None
    return datetime.fromtimestamp(int(last_event_id) / 1_000_000, tz=UTC)
