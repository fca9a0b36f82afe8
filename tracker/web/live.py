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
from tracker.domain.errors import Unavailable
from tracker.domain.position import Placed
from tracker.store.access import LIVE_CHANNEL, Access
from tracker.store.access_alerts import ToldEvent
from tracker.store.session import Session
from tracker.web.api import _alerts
from tracker.web.context import Services
from tracker.web.geojson import feature

HEARTBEAT_S = 15.0
RECHECK_S = 1.0
"""For so long a reader is taken to be still signed in."""
PAUSE_S = 0.1
"""The least time between two reads of one stream, so that a flood of positions is read in gulps."""
RESUME_OVERLAP = timedelta(seconds=2)
"""A transaction may commit this much after its clock time; a resumed stream looks back that far."""
STREAMS_PER_SESSION = 8
EVENTS_FOR = timedelta(hours=1)
"""What happened longer ago by the database's clock is no news to a stream that was away."""
PAGE_OPENS_IN = timedelta(seconds=10)
_RETRY_MS = 2000
_DISPLACED_RETRY_MS = 10_000

log = structlog.get_logger()


@dataclass(eq=False)
class Subscription:
    """One open stream: whose it is, and the flag that something of his account changed.

    A displaced stream gave its place to a newer one of its session and ends.
    """

    account_id: str
    session_id: str
    changed: threading.Event = field(default_factory=threading.Event)
    is_displaced: bool = False


@dataclass
class Told:
    """What one reader knows: who there is, and of each the version of the position that he has.

    `events` are the moments of change that he has of events of the last hour; `heard_until` is how far the
    changes of events were looked through, None before the first look.
    """

    subject_ids: set[str] = field(default_factory=set)
    versions: dict[str, tuple[str, datetime]] = field(default_factory=dict)
    events: dict[str, datetime] = field(default_factory=dict)
    heard_until: datetime | None = None


class LiveStreams:
    """The open streams of one process."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._lock = threading.Lock()
        self._open: dict[Subscription, None] = {}  # the oldest first
        self._listener: threading.Thread | None = None
        self._stopping = threading.Event()

    def subscribe(self, viewer: Viewer) -> Subscription:
        """Open a stream for a session; `unsubscribe` must follow.

        The oldest of more than 8 streams of a session ends: a page that was closed or reloaded is noticed
        only when its stream is next written to, and must not keep a new one out.
        """
        subscription = Subscription(account_id=viewer.account_id, session_id=viewer.session_id)
        with self._lock:
            own = [each for each in self._open if each.session_id == viewer.session_id]
            if len(own) >= STREAMS_PER_SESSION:
                del self._open[own[0]]
                own[0].is_displaced = True
                own[0].changed.set()
            self._open[subscription] = None
            if self._listener is None:
                self._listener = threading.Thread(target=self._listen, name="live", daemon=True)
                self._listener.start()
        return subscription

    def unsubscribe(self, subscription: Subscription) -> None:
        """Forget a stream that ended."""
        with self._lock:
            self._open.pop(subscription, None)

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
        told = Told()
        spoke_at = time.monotonic()
        viewer: Viewer | None = None
        checked_at = 0.0
        while True:
            subscription.changed.clear()
            if self._stopping.is_set():
                return
            if subscription.is_displaced:
                # A reader who is still there comes back, but not so soon that two take turns all the time.
                yield f"retry: {_DISPLACED_RETRY_MS}\n\n"
                return
            began_at = time.monotonic()
            news: list[str] = []
            try:
                with self._services.database.begin() as session:
                    if viewer is None or began_at - checked_at >= RECHECK_S:
                        viewer = self._still_signed_in(session, token)
                        checked_at = began_at
                    if viewer is None:
                        return
                    news = _news(Access(session, viewer), told, resume_after, self._services.clock())
                    resume_after = None
            except Unavailable:
                self._stopping.wait(1.0)
                subscription.changed.set()
            yield from news
            if news:
                spoke_at = time.monotonic()
            elif time.monotonic() - spoke_at >= HEARTBEAT_S:
                yield ": ping\n\n"
                spoke_at = time.monotonic()
            self._stopping.wait(PAUSE_S)
            # A reader who was not checked this time is checked soon: his session may have just ended.
            next_at = spoke_at + HEARTBEAT_S if checked_at == began_at else checked_at + RECHECK_S
            subscription.changed.wait(max(0.0, next_at - time.monotonic()))

    def _still_signed_in(self, session: Session, token: str) -> Viewer | None:
        found = self._services.accounts.authenticate(session, token, self._services.clock())
        return found[1] if found else None


def _version(placed: Placed) -> tuple[str, datetime]:
    return placed.device_id, placed.position.recorded_at


def _news(access: Access, told: Told, resume_after: datetime | None, now: datetime) -> list[str]:
    """Return the events of what the reader does not have, and note in `told` that he has it now.

    A resumed reader has everything but what changed since.
    """
    read_at = access.database_time()
    states = {placed.subject_id: placed for placed in access.last_positions()}
    subject_ids = {subject.subject_id for subject in access.subjects()}
    versions = {subject_id: _version(placed) for subject_id, placed in states.items()}
    if resume_after is not None:
        since = access.last_positions(updated_after=resume_after - RESUME_OVERLAP)
        changed = {placed.subject_id for placed in since}
        told.versions = {each: version for each, version in versions.items() if each not in changed}
    gone = told.subject_ids - subject_ids
    unplaced = told.versions.keys() - versions.keys() - gone
    news = [
        _event("position", position(placed, now), read_at)
        for subject_id, placed in states.items()
        if told.versions.get(subject_id) != versions[subject_id]
    ]
    news += [_event("unplaced", {"subject_id": each}, read_at) for each in sorted(unplaced)]
    news += [_event("gone", {"subject_id": each}, read_at) for each in sorted(gone)]
    news += _event_news(access, told, resume_after, read_at, now)
    told.subject_ids, told.versions = subject_ids, versions
    return news


def _event_news(
    access: Access, told: Told, resume_after: datetime | None, read_at: datetime, now: datetime
) -> list[str]:
    """Return what happened, or changed about what had happened, since the last look.

    A new reader is told what came while his page was on its way; before that, the page has it.
    """
    since = resume_after or told.heard_until or read_at - PAGE_OPENS_IN
    told.heard_until = read_at
    since = max(since - RESUME_OVERLAP, read_at - EVENTS_FOR)
    changed = [
        each
        for each in access.alerts.events_updated(since)
        if told.events.get(each.event.event_id) != each.updated_at
    ]
    if not changed:
        return []
    account = access.account()
    owner = next((one for one in access.alerts.contacts(now) if one.contact_id == account.account_id), None)
    write = _alerts.writer(access, locale=account.locale, zone=owner.time_zone if owner else "UTC", now=now)
    news = [
        _event("event", {**write(each.event, each.alert), "change": _change(each, told)}, read_at)
        for each in changed
    ]
    recent = {name: at for name, at in told.events.items() if at > read_at - EVENTS_FOR}
    told.events = recent | {each.event.event_id: each.updated_at for each in changed}
    return news


def _change(each: ToldEvent, told: Told) -> str:
    """Return what is new about an event."""
    if each.event.superseded_by is not None:
        return "superseded"
    if each.event.retracted_at is not None:
        return "retracted"
    known = each.event.event_id in told.events
    is_old = each.alert is not None and each.alert.acknowledged_at is not None
    return "alert" if known or is_old else "new"


def position(placed: Placed, now: datetime) -> dict[str, Any]:
    """Return the data of a `position` event."""
    return {
        "subject_id": placed.subject_id,
        "device_id": placed.device_id,
        "feature": feature(placed, now),
    }


def _event(name: str, data: dict[str, Any], read_at: datetime) -> str:
    """Return the text of one event; its id is the moment, in microseconds, from which to resume."""
    number = round(read_at.timestamp() * 1_000_000)
    return f"event: {name}\nid: {number}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"


def resume_moment(last_event_id: str | None) -> datetime | None:
    """Return the moment that a `Last-Event-ID` names, or None if it names none."""
    if not last_event_id or not last_event_id.isascii() or not last_event_id.isdigit():
        return None
    if len(last_event_id) > 17:
        return None
    return datetime.fromtimestamp(int(last_event_id) / 1_000_000, tz=UTC)
