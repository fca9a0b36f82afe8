"""Takes a batch of messages into the database, in one transaction.

Resolve whose the messages are, judge and store positions, store facts, put together what comes in parts, note
how far each device's stream has come, tell the watch, commit. What cannot be taken goes to quarantine;
nothing good around it is lost. Only an outage of the database makes the whole batch fail: then nothing was
done, and the broker sends it again.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

import structlog

from tracker.domain.errors import Malformed, Reason, Unavailable
from tracker.domain.position import HeardFact, Placed
from tracker.ingest.dialects._message import Dialect
from tracker.ingest.directory import Directory
from tracker.ingest.gather import gather, place
from tracker.ingest.hold import hold
from tracker.ingest.metrics import IngestMetrics, Taken
from tracker.ingest.outbound import Ack
from tracker.ingest.prepare import Prepared
from tracker.ingest.refusals import Refusals
from tracker.ingest.resolve import Entry, Resolver
from tracker.ingest.windows import Assembler
from tracker.store import devices, facts, positions
from tracker.store.devices import Owned
from tracker.store.seal import Sealer
from tracker.store.session import Database, Session, is_outage, is_wrong_statement

Watch = Callable[[Session, Sequence[Placed], Sequence[HeardFact], datetime], None]
"""Is told of a batch's new positions and new facts together, once, in the transaction that stores them.

Both at once: told one after the other, two batches could lock what they concern crosswise. It is also called
with nothing, now and then: then it knows that ingest works.
"""

WEEK = timedelta(days=7)
DUE_WINDOWS = 500

log = structlog.get_logger()


class Writer:
    """Writes batches; `dialects` by name.

    With a `directory` it remembers devices between batches, and only one thread may use it.
    """

    def __init__(
        self,
        database: Database,
        sealer: Sealer,
        dialects: Mapping[str, Dialect],
        metrics: IngestMetrics,
        *,
        directory: Directory | None = None,
        watch: Watch | None = None,
    ) -> None:
        self._database = database
        self._directory = directory
        self._resolver = Resolver(sealer, dialects, directory)
        self._assembler = Assembler(dialects)
        self._refusals = Refusals(sealer)
        self._watch = watch
        self._metrics = metrics
        self._weeks: set[datetime] = set()

    def write(self, batch: Sequence[Prepared], now: datetime) -> tuple[list[Ack], list[Entry]]:
        """Take every message of the batch; return what the devices may be told, and what became of each.

        Raises:
            Unavailable: the database is away; nothing of the batch is stored.
        """
        began_s = time.monotonic()
        try:
            acks, entries, taken = self._together(batch, now)
        except Unavailable:
            raise
        except Exception as error:
            # The text of a database error quotes values, which are coordinates: only its kind is logged.
            log.warning("a batch is replayed one by one", messages=len(batch), error=_kind(error))
            self._weeks.clear()
            acks, entries, taken = self._singly(batch, now)
        self._metrics.count(taken, time.monotonic() - began_s)
        return acks, entries

    def forget(self) -> None:
        """Remember no device: somebody else may have served them meanwhile."""
        if self._directory is not None:
            self._directory.forget()

    def close_windows(self, now: datetime) -> int:
        """Make positions of the parts whose window is over; return how many windows there were.

        Raises:
            Unavailable: the database is away.
        """
        taken = Taken()
        with self._database.begin() as session:
            closed, about = self._assembler.close_due(session, now, DUE_WINDOWS)
            told: Sequence[Placed] = ()
            if about:
                owned = devices.owned(session, sorted({device_id for device_id, _ in about}))
                placed = [
                    place(owned[device_id], position, now)
                    for device_id, position in about
                    if device_id in owned
                ]
                told = self._append(session, placed, owned, taken)
            # Told of nothing, the watch still learns that ingest works.
            self._tell(session, told, (), now)
        if self._directory is not None:
            self._directory.learn(taken.fixes, {})
        self._metrics.count_positions(taken)
        return closed

    def _together(self, batch: Sequence[Prepared], now: datetime) -> tuple[list[Ack], list[Entry], Taken]:
        taken = Taken()
        try:
            with self._database.begin() as session:
                entries = self._resolver.resolve(session, batch)
                acks = self._store(session, entries, now, taken)
        except Exception:
            self.forget()
            raise
        if self._directory is not None:
            self._directory.learn(taken.fixes, taken.online)
        return acks, entries, taken

    def _singly(self, batch: Sequence[Prepared], now: datetime) -> tuple[list[Ack], list[Entry], Taken]:
        """Take message by message, each in a savepoint, so that only the culprits are refused."""
        taken = Taken()
        acks: list[Ack] = []
        with self._database.begin() as session:
            entries = self._resolver.resolve(session, batch)
            for entry in entries:
                attempt = Taken()
                try:
                    with session.begin_nested():
                        acks += self._store(session, [entry], now, attempt)
                except Exception as error:
                    if isinstance(error, Unavailable) or is_outage(error):
                        raise
                    if is_wrong_statement(error):
                        # No message can make our own statement wrong: the schema is not this version's.
                        raise Unavailable("the database is not at this version's schema") from error
                    log.error(
                        "a message was refused by the store", device=entry.origin_id, error=_kind(error)
                    )
                    attempt = Taken()
                    entry.refuse(Malformed(Reason.STORE_REFUSED, _kind(error)))
                    acks += self._store(session, [entry], now, attempt)
                taken.add(attempt)
        self.forget()
        # A stream's later acknowledgement says what its earlier ones say.
        return list({(ack.device_id, ack.boot): ack for ack in acks}.values()), entries, taken

    def _store(self, session: Session, entries: Sequence[Entry], now: datetime, taken: Taken) -> list[Ack]:
        gathered = gather(entries)
        if any(entry.parts for entry in entries):
            for owner, position, received_at in self._assembler.fold(session, entries):
                gathered.place(owner, position, received_at)
        placed = self._append(session, gathered.placed, gathered.owned, taken)
        self._tell(session, placed, facts.add_many(session, gathered.facts), now)
        taken.messages.update([entry.dialect_name for entry in entries])
        for entry in entries:
            if entry.refused is not None or entry.decoded.problems or entry.strangers:
                self._refusals.keep(session, entry, now, taken)
            elif not entry.decoded.reports and not entry.decoded.parts:
                taken.ignored += 1
        # In device order: no two batches lock crosswise.
        for (account_id, device_id), online in sorted(gathered.presence.items()):
            devices.set_online(session, account_id, device_id, online)
            taken.online[device_id] = online
        return _commit_marks(session, gathered.streams, now)

    def _append(
        self,
        session: Session,
        placed: Sequence[Placed],
        owned: Mapping[str, Owned],
        taken: Taken,
    ) -> Sequence[Placed]:
        """Store positions; return those that were new, marked where they wait."""
        if not placed:
            return ()
        self._ensure_weeks(placed)
        held = hold(placed, owned, self._directory.fixes if self._directory else {})
        taken.fixes.update(held.fixes)
        new = positions.append(session, placed, held=held.keys)
        if held.waiting:
            positions.set_held(session, held.waiting)
        taken.positions += len(new)
        taken.duplicates += len(placed) - len(new)
        taken.held += len(held.keys)
        return [_marked(each, held.keys) for each in new] if held.keys else new

    def _tell(
        self, session: Session, placed: Sequence[Placed], heard: Sequence[HeardFact], now: datetime
    ) -> None:
        if self._watch is not None:
            self._watch(session, placed, heard, now)

    def _ensure_weeks(self, placed: Sequence[Placed]) -> None:
        weeks = _weeks([each.position.recorded_at for each in placed]) - self._weeks
        if weeks:
            # A transaction of its own: making a partition locks the table for everybody until its end.
            with self._database.begin() as session:
                positions.ensure_partitions(session, weeks)
            self._weeks |= weeks


def _weeks(moments: list[datetime]) -> set[datetime]:
    """Return the weeks that the moments lie in; all of one or two adjacent ones is the common case."""
    first, last = positions.week_of(min(moments)), positions.week_of(max(moments))
    if last - first <= WEEK:
        return {first, last}
    return {positions.week_of(moment) for moment in moments}


def _marked(placed: Placed, held: set[tuple[str, datetime]]) -> Placed:
    key = placed.device_id, placed.position.recorded_at
    return placed._replace(held=True) if key in held else placed


def _commit_marks(
    session: Session, streams: Mapping[tuple[str, str, str], set[int]], now: datetime
) -> list[Ack]:
    if not streams:
        return []
    told = [(*stream, seqs) for stream, seqs in sorted(streams.items())]
    return [
        Ack(device_id=device_id, boot=boot, seq=seq)
        for (device_id, boot), seq in facts.commit_marks_many(session, told, now).items()
        if seq is not None
    ]


def _kind(error: BaseException) -> str:
    origin = getattr(error, "orig", None) or error
    state = getattr(origin, "sqlstate", None)
    return f"{type(origin).__name__} {state}" if state else type(origin).__name__
