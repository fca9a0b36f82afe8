"""Reads a file into a device's history: in batches, each with how far the file was read, so that an
interrupted import goes on where it was.

Every record of a file counts, always in the same order, so "how far" is a number of records: to resume, the
file is read again and as many are passed over. The newest position of the file is stored last, by the door
that live positions come by: the last position of the device moves at most once, and only forwards.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, BinaryIO

from tracker.domain.clock import Clock
from tracker.domain.errors import Malformed, Reason
from tracker.domain.position import Placed, Position, plausible_time
from tracker.history.imports import _open
from tracker.history.imports._record import Broken, Ending, Format, Record, Refusal, Why
from tracker.store import imports, positions
from tracker.store.imports import Import, ImportState
from tracker.store.session import Database

BATCH = 2000
WEEKS = 1_100
"""How many weeks one file may touch, 21 years: each may need a partition of its own."""
FIRST_REFUSALS = 20


@dataclass
class _Tally:
    """What one reading of a file has met so far; the same after the same number of records."""

    now: datetime
    most_weeks: int
    records: int = 0
    refused: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    first: list[list[Any]] = field(default_factory=list)
    weeks: set[datetime] = field(default_factory=set)
    newest: Position | None = None

    def take(self, record: Record) -> Position | None:
        """Count a record; return the position to store now, None if it is refused or kept for the end."""
        self.records += 1
        if isinstance(record, Refusal):
            self._refuse(record)
            return None
        why = self._why_not(record)
        if why:
            self._refuse(Refusal(self.records, why))
            return None
        if self.newest is None or record.recorded_at > self.newest.recorded_at:
            record, self.newest = self.newest or record, record
            return None if record is self.newest else record
        return record

    def _why_not(self, position: Position) -> Why | None:
        try:
            plausible_time(position.recorded_at, self.now)
        except Malformed as error:
            return Why.IN_FUTURE if error.reason is Reason.TIME_IN_FUTURE else Why.TOO_OLD
        week = positions.week_of(position.recorded_at)
        if week not in self.weeks:
            if len(self.weeks) >= self.most_weeks:
                return Why.TOO_MANY_WEEKS
            self.weeks.add(week)
        return None

    def _refuse(self, refusal: Refusal) -> None:
        self.refused += 1
        self.reasons[refusal.why.value] += 1
        if len(self.first) < FIRST_REFUSALS:
            self.first.append([refusal.element, refusal.why.value])

    def detail(self, ending: Ending | None = None) -> dict[str, Any]:
        """Return what the import's row says of refusals and of the end."""
        said: dict[str, Any] = {"reasons": dict(self.reasons), "first": self.first} if self.refused else {}
        return said | ({"ending": ending.value} if ending else {})


class Reading:
    """One run over the file of one import, from its start or from where an earlier run was interrupted."""

    def __init__(
        self,
        database: Database,
        claimed: Import,
        subject_id: str,
        stream: BinaryIO,
        formats: Mapping[str, Format],
        *,
        holder: str,
        clock: Clock,
        heard: Callable[[Import], None] = lambda _: None,
        most_weeks: int = WEEKS,
    ) -> None:
        self._database = database
        self._import = claimed
        self._subject_id = subject_id
        self._stream = stream
        self._formats = formats
        self._holder = holder
        self._clock = clock
        self._heard = heard
        self._ready: set[datetime] = set()
        self._tally = _Tally(now=claimed.created_at, most_weeks=most_weeks)

    def run(self, stopped: Callable[[], bool] = lambda: False) -> Import:
        """Read to the end, or until `stopped` says so; return how far it is.

        Raises:
            Superseded: the import was cancelled or its device removed; what was read stays.
            Unavailable: the database is away; the import can be resumed.
        """
        passed_over = self._import.records
        batch: list[Position] = []
        ending: Ending | None = None
        for record in self._records():
            if isinstance(record, Ending):
                ending = record
                break
            position = self._tally.take(record)
            if self._tally.records <= passed_over:
                continue
            if position:
                batch.append(position)
            if self._tally.records - self._import.records >= BATCH:
                self._store(batch)
                batch = []
                if stopped():
                    return self._import
        self._store(batch)
        self._finish(ending)
        return self._import

    def _records(self) -> Iterator[Record | Ending]:
        try:
            yield from _open.records(self._stream, self._import.format, self._formats)
        except Broken as error:
            yield error.ending

    def _progress(self) -> Import:
        tally = self._tally
        return replace(
            self._import,
            read_bytes=max(self._import.read_bytes, self._stream.tell()),
            positions_read=tally.records - tally.refused,
            refused=tally.refused,
            detail=tally.detail(),
        )

    def _store(self, batch: list[Position]) -> None:
        before, now = self._import, self._clock()
        after = self._progress()
        if after.records <= before.records:
            return
        placed = [self._placed(each, now) for each in batch]
        self._make_ready({positions.week_of(each.recorded_at) for each in batch})
        with self._database.begin() as session:
            new = imports.append_history(session, placed)
            after = replace(after, positions_new=before.positions_new + new)
            imports.advance(session, before, after, holder=self._holder, now=now)
        self._import = after
        self._heard(after)

    def _finish(self, ending: Ending | None) -> None:
        before, now = self._import, self._clock()
        newest = self._tally.newest
        state = ImportState.FAILED if ending and newest is None else ImportState.DONE
        after = replace(before, state=state, detail=self._tally.detail(ending))
        if ending is None:
            after = replace(after, read_bytes=before.size_bytes)
        if newest:
            self._make_ready({positions.week_of(newest.recorded_at)})
        with self._database.begin() as session:
            if newest:
                imports.lock_device(session, before.account_id, before.device_id)
                new = len(positions.append(session, [self._placed(newest, now)]))
                after = replace(after, positions_new=before.positions_new + new)
            imports.advance(session, before, after, holder=self._holder, now=now)
        self._import = after
        self._heard(after)

    def _make_ready(self, weeks: set[datetime]) -> None:
        # In a transaction of its own: making a partition locks the whole table, and a batch takes long.
        missing = weeks - self._ready
        if missing:
            with self._database.begin() as session:
                positions.ensure_partitions(session, missing)
            self._ready |= missing

    def _placed(self, position: Position, now: datetime) -> Placed:
        return Placed(
            account_id=self._import.account_id,
            subject_id=self._subject_id,
            device_id=self._import.device_id,
            received_at=now,
            position=position,
        )
