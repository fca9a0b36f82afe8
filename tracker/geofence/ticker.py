"""Lets time pass for fences and rules where nothing is told, and works off corrections; runs in `work`."""

import threading
import time
from datetime import datetime, timedelta

import structlog

from tracker.domain.clock import Clock
from tracker.domain.errors import Unavailable
from tracker.geofence import folding, heartbeat, loaded
from tracker.geofence.book import Watched
from tracker.geofence.corrections import correct
from tracker.geofence.service import Watcher
from tracker.store import fence_states, rule_states, rulebook
from tracker.store.session import Database, Session

EVERY_S = 1.0
GRACE = timedelta(seconds=30)
"""A position on its way must not be called silence: time passes so much behind the clock."""
AT_ONCE = 200
LOOK_AGAIN = timedelta(minutes=1)
CORRECT_FOR_S = 0.5
"""Corrections wait for the ticks after so long."""

log = structlog.get_logger()


class Ticker:
    """Ticks every second; corrections between."""

    def __init__(self, watcher: Watcher, database: Database, clock: Clock) -> None:
        self._watcher = watcher
        self._database = database
        self._clock = clock
        self._begun_version = -1
        self._look_again: datetime | None = None

    def run(self, stop: threading.Event) -> None:
        """Work until `stop` is set; a database that is away is waited for."""
        while not stop.is_set():
            try:
                self.turn()
            except Unavailable:
                log.warning("ticks wait for the database")
            stop.wait(EVERY_S)
        self._database.close()

    def turn(self) -> int:
        """Do what is due, then corrections for half a second; return how many subjects time moved on.

        Raises:
            Unavailable: the database is away.
        """
        ticked = 0
        while True:
            with self._database.begin() as session:
                done = self.tick(session, self._clock())
            ticked += done
            if done < AT_ONCE:
                break
        began_s = time.monotonic()
        while time.monotonic() - began_s < CORRECT_FOR_S:
            with self._database.begin() as session:
                if not correct(self._watcher, session, self._clock()):
                    break
        with self._database.begin() as session:
            self._watcher.metrics.set_waiting(fence_states.count_corrections(session))
        return ticked

    def tick(self, session: Session, now: datetime, limit: int = AT_ONCE) -> int:
        """Let time pass, up to 30 seconds ago, for what is due; return for how many subjects.

        While ingest is away, and for two minutes after, time stands still where ingest last was.
        """
        known = heartbeat.known_until(session, now)
        if known is None:
            return 0
        until = min(now, known) - GRACE
        version = self._watcher.book.refresh(session)
        wanted = self._due(session, until, limit, version) | self._new(session, until, limit, version, now)
        watched = [each for each in self._watched(session, wanted, version) if each is not None]
        if not watched:
            return 0
        subjects = self._watcher.load(session, watched, now)
        outcome = self._watcher.outcome(session, now)
        for each in subjects:
            made = folding.time_out(each.watched, each.live, until.timestamp())
            outcome.add_live(each, made)
            each.move_on(made.subject)
        outcome.store()
        loaded.save(session, subjects, ticked=True)
        return len(subjects)

    def _due(self, session: Session, until: datetime, limit: int, version: int) -> set[tuple[str, str]]:
        """Return the subjects with something due."""
        found = set(rule_states.due(session, until, limit))
        devices = fence_states.due(session, until, limit)
        books = self._watcher.book.of(session, {account_id for account_id, _ in devices}, version)
        for account_id, device_id in devices:
            subject_id = books[account_id].subject_of(device_id)
            if subject_id is not None:
                found.add((account_id, subject_id))
        return set(sorted(found)[:limit])

    def _new(
        self, session: Session, until: datetime, limit: int, version: int, now: datetime
    ) -> set[tuple[str, str]]:
        """Return the subjects of rules that are in force and have not begun.

        It is asked only after a change, for half a minute, and once a minute.
        """
        if version != self._begun_version:
            self._begun_version = version
            self._look_again = None
        if self._look_again is not None and now < self._look_again:
            return set()
        accounts = rulebook.accounts_with_new_rules(session, until, limit)
        if not accounts:
            self._look_again = now + GRACE if rulebook.has_rules_from(session, until) else now + LOOK_AGAIN
            return set()
        self._look_again = now + LOOK_AGAIN
        books = self._watcher.book.of(session, accounts, version)
        return {
            (account_id, subject_id)
            for account_id, book in books.items()
            for subject_id in book.subject_ids
            if book.watched(subject_id) is not None
        }

    def _watched(self, session: Session, wanted: set[tuple[str, str]], version: int) -> list[Watched | None]:
        books = self._watcher.book.of(session, {account_id for account_id, _ in wanted}, version)
        return [books[account_id].watched(subject_id) for account_id, subject_id in sorted(wanted)]
