"""Reads the files that wait, one account after the other, whatever restarts."""

import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace

import structlog

from tracker.domain.clock import Clock
from tracker.domain.errors import NotFound, Unavailable
from tracker.history.importing import Reading
from tracker.history.imports._record import Ending, Format
from tracker.history.uploads import Uploads
from tracker.store import devices, imports
from tracker.store.imports import Import, ImportState, Superseded
from tracker.store.session import Database, Listener

OUTAGE_REST_S = 5.0
LONGEST_REST_S = 30.0

log = structlog.get_logger()


class ImportWorker:
    """Takes imports by lease: one that a dead worker left is taken up a minute later, where it was.

    Runs in one thread; several may run side by side, each with a `holder` of its own.
    """

    def __init__(
        self,
        database: Database,
        uploads: Uploads,
        formats: Mapping[str, Format],
        clock: Clock,
        *,
        holder: str,
    ) -> None:
        self._database = database
        self._uploads = uploads
        self._formats = formats
        self._clock = clock
        self._holder = holder

    def run(self, stop: threading.Event) -> None:
        """Read until `stop` is set, woken by each new file; outlives outages of the database."""
        listener: Listener | None = None
        while not stop.is_set():
            try:
                listener = listener or self._database.listen(imports.IMPORTS_CHANNEL)
                if not self.step(stop):
                    self._rest(listener, stop)
            except Unavailable:
                log.warning("imports wait for the database")
                if listener:
                    listener.close()
                listener = None
                stop.wait(OUTAGE_REST_S)
        if listener:
            listener.close()
        self._database.close()

    def step(self, stop: threading.Event) -> bool:
        """Read the next file to its end or until `stop` is set; tell whether there was one.

        Raises:
            Unavailable: the database is away; the file is taken up again.
        """
        with self._database.begin() as session:
            claimed = imports.claim(session, self._holder, self._clock())
            owned = devices.owned(session, [claimed.device_id]) if claimed else {}
            needed = set() if claimed else imports.unfinished_ids(session)
        if claimed is None:
            self._uploads.sweep(needed, self._clock())
            return False
        device = owned.get(claimed.device_id)
        try:
            if device is None or device.account_id != claimed.account_id:
                raise Superseded("the device was removed")
            done = self._read(claimed, device.subject_id, stop)
        except Superseded:
            log.info("an import was given up", id=claimed.import_id)
            self._remove_unless_read(claimed)
            return True
        except Unavailable:
            raise
        except Exception as error:
            # A fault of ours in one format must not stall the others. Its text could hold a coordinate.
            log.error("an import failed", id=claimed.import_id, error=type(error).__name__)
            self._end(claimed, Ending.FAULT)
            return True
        if done.state is ImportState.READING:
            with self._database.begin() as session:
                imports.release(session, done, holder=self._holder, now=self._clock())
        else:
            self._uploads.remove(claimed.import_id)
        return True

    def _read(self, claimed: Import, subject_id: str, stop: threading.Event) -> Import:
        try:
            file = self._uploads.open(claimed.import_id)
        except FileNotFoundError:
            self._end(claimed, Ending.LOST)
            return replace(claimed, state=ImportState.FAILED)
        with file:
            reading = Reading(
                self._database,
                claimed,
                subject_id,
                file,
                self._formats,
                holder=self._holder,
                clock=self._clock,
            )
            return reading.run(stop.is_set)

    def _end(self, claimed: Import, ending: Ending) -> None:
        # Cancelled or removed at this very moment: then there is nothing left to say.
        with suppress(Superseded, NotFound), self._database.begin() as session:
            present = imports.get(session, claimed.account_id, claimed.import_id)
            after = replace(
                present, state=ImportState.FAILED, detail=present.detail | {"ending": ending.value}
            )
            imports.advance(session, present, after, holder=self._holder, now=self._clock())
        self._uploads.remove(claimed.import_id)

    def _remove_unless_read(self, claimed: Import) -> None:
        with self._database.begin() as session:
            needed = imports.unfinished_ids(session)
        if claimed.import_id not in needed:
            self._uploads.remove(claimed.import_id)

    def _rest(self, listener: Listener, stop: threading.Event) -> None:
        for _ in range(int(LONGEST_REST_S)):
            if stop.is_set() or listener.wait(1.0):
                return
