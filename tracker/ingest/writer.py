"""Takes a batch of messages into the database, in one transaction.

Resolve whose the devices are, decode, store positions and facts, note how far each device's stream has come,
tell the consumers, commit. What cannot be taken goes to quarantine; nothing good around it is lost. Only an
outage of the database makes the whole batch fail: then nothing was done, and the broker sends it again.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

import msgspec
import structlog

from tracker.domain.errors import Malformed, Misconfigured, Reason, Unavailable
from tracker.domain.position import Placed, Report, StreamMark
from tracker.ingest.client import Arrived
from tracker.ingest.dialects._message import NOTHING, Decoded, Dialect, Message
from tracker.ingest.metrics import IngestMetrics, Taken
from tracker.ingest.outbound import Ack
from tracker.ingest.quarantine import Allowance
from tracker.ingest.topics import Address, parse
from tracker.store import devices, facts, positions, quarantine
from tracker.store.devices import Owned
from tracker.store.seal import Sealer
from tracker.store.session import Database, Session, is_outage

Consumer = Callable[[Session, Sequence[Placed], datetime], None]

NO_DIALECT = "none"
WEEK = timedelta(days=7)

log = structlog.get_logger()


class Entry(msgspec.Struct, frozen=True):
    """One message, whose it is, and what it says or why it was refused."""

    arrived: Arrived
    device_id: str | None
    dialect: str
    owner: Owned | None
    decoded: Decoded
    refused: Malformed | None

    @property
    def marks(self) -> Iterator[StreamMark]:
        """Every place in the device's stream that is done with, refused ones too."""
        for mark in (
            *(report.mark for report in self.decoded.reports),
            *(problem.mark for problem in self.decoded.problems),
        ):
            if mark is not None:
                yield mark


class Writer:
    """Writes batches; used by one thread."""

    def __init__(
        self,
        database: Database,
        sealer: Sealer,
        dialects: Mapping[str, Dialect],
        consumers: Sequence[Consumer],
        metrics: IngestMetrics,
    ) -> None:
        self._database = database
        self._sealer = sealer
        self._by_root = {dialect.root: dialect for dialect in dialects.values() if dialect.root}
        self._consumers = consumers
        self._metrics = metrics
        self._allowance = Allowance()
        self._weeks: set[datetime] = set()

    def write(self, batch: Sequence[Arrived], now: datetime) -> list[Ack]:
        """Take every message of the batch and return what the devices may be told.

        Raises:
            Unavailable: the database is away; nothing of the batch is stored.
        """
        began_s = time.monotonic()
        try:
            acks, taken = self._together(batch, now)
        except Unavailable:
            raise
        except Exception as error:
            # The text of a database error quotes values, which are coordinates: only its kind is logged.
            log.warning("a batch is replayed one by one", messages=len(batch), error=_kind(error))
            self._weeks.clear()
            acks, taken = self._singly(batch, now)
        self._metrics.count(taken, time.monotonic() - began_s)
        return acks

    def _together(self, batch: Sequence[Arrived], now: datetime) -> tuple[list[Ack], Taken]:
        taken = Taken()
        with self._database.begin() as session:
            entries = self._decode(session, batch)
            acks = self._store(session, entries, now, taken)
        return acks, taken

    def _singly(self, batch: Sequence[Arrived], now: datetime) -> tuple[list[Ack], Taken]:
        """Take message by message, each in a savepoint, so that only the culprits are refused."""
        taken = Taken()
        acks: list[Ack] = []
        with self._database.begin() as session:
            for entry in self._decode(session, batch):
                attempt = Taken()
                try:
                    with session.begin_nested():
                        acks += self._store(session, [entry], now, attempt)
                except Exception as error:
                    if isinstance(error, Unavailable) or is_outage(error):
                        raise
                    log.error(
                        "a message was refused by the store", device=entry.device_id, error=_kind(error)
                    )
                    attempt = Taken()
                    acks += self._store(session, [_refused_by_store(entry, error)], now, attempt)
                taken.add(attempt)
        # A stream's later acknowledgement says what its earlier ones say.
        return list({(ack.device_id, ack.boot): ack for ack in acks}.values()), taken

    def _decode(self, session: Session, batch: Sequence[Arrived]) -> list[Entry]:
        addresses = [_address(arrived) for arrived in batch]
        names = {address.device_id for address in addresses if isinstance(address, Address)}
        owned = devices.owned(session, sorted(names)) if names else {}
        return [
            self._entry(arrived, address, owned) for arrived, address in zip(batch, addresses, strict=True)
        ]

    def _entry(self, arrived: Arrived, address: Address | Malformed, owned: Mapping[str, Owned]) -> Entry:
        if isinstance(address, Malformed):
            return Entry(arrived, None, NO_DIALECT, None, NOTHING, address)
        dialect = self._by_root.get(address.root)
        if dialect is None:
            refused = Malformed(Reason.BAD_TOPIC, "root")
            return Entry(arrived, address.device_id, NO_DIALECT, None, NOTHING, refused)
        owner = owned.get(address.device_id)
        if owner is None:
            refused = Malformed(Reason.UNKNOWN_DEVICE, "topic")
            return Entry(arrived, address.device_id, dialect.name, None, NOTHING, refused)
        try:
            message = Message(
                topic=arrived.topic,
                payload=arrived.payload,
                received_at=arrived.received_at,
                retained=arrived.retained,
                payload_key=self._payload_key(owner),
            )
            decoded, refused_why = dialect.decode(message), None
        except Malformed as error:
            decoded, refused_why = NOTHING, error
        except Exception as error:
            log.error("a decoder failed", dialect=dialect.name, device=address.device_id, error=_kind(error))
            decoded, refused_why = NOTHING, Malformed(Reason.WRONG_SHAPE, "the decoder failed")
        return Entry(arrived, address.device_id, dialect.name, owner, decoded, refused_why)

    def _payload_key(self, owner: Owned) -> bytes | None:
        if owner.payload_key_sealed is None:
            return None
        context = devices.payload_key_context(owner.device_id)
        try:
            return self._sealer.open(owner.payload_key_sealed, context=context)
        except Misconfigured:
            log.error("a device's payload key cannot be opened", device=owner.device_id)
            return None

    def _store(self, session: Session, entries: Sequence[Entry], now: datetime, taken: Taken) -> list[Ack]:
        placed = [each for entry in entries for each in _placed(entry)]
        self._ensure_weeks(placed)
        new = positions.append(session, placed)
        taken.positions += len(new)
        taken.duplicates += len(placed) - len(new)
        for entry in entries:
            taken.messages[entry.dialect] += 1
            self._keep_facts(session, entry)
            if entry.refused is not None or entry.decoded.problems:
                self._keep_refused(session, entry, now, taken)
            elif not entry.decoded.reports:
                taken.ignored += 1
        _note_presence(session, entries)
        acks = _commit_marks(session, entries, now)
        if new:
            for consume in self._consumers:
                consume(session, new, now)
        return acks

    def _ensure_weeks(self, placed: Sequence[Placed]) -> None:
        if not placed:
            return
        weeks = _weeks([each.position.recorded_at for each in placed]) - self._weeks
        if weeks:
            # A transaction of its own: making a partition locks the table for everybody until its end.
            with self._database.begin() as session:
                positions.ensure_partitions(session, weeks)
            self._weeks |= weeks

    def _keep_facts(self, session: Session, entry: Entry) -> None:
        if entry.owner is None:
            return
        for report in entry.decoded.reports:
            if report.fact is not None:
                facts.add(
                    session,
                    entry.owner.account_id,
                    entry.owner.device_id,
                    report.fact,
                    entry.arrived.received_at,
                )

    def _keep_refused(self, session: Session, entry: Entry, now: datetime, taken: Taken) -> None:
        """Count every refusal of a message and keep the message once, with the first reason."""
        refusals = [(each.reason, each.detail) for each in entry.decoded.problems]
        if entry.refused is not None:
            refusals.append((entry.refused.reason, entry.refused.detail))
        for reason, _ in refusals:
            taken.refused[reason.value] += 1
        if not refusals or not self._allowance.take(entry.device_id, now):
            return
        reason, detail = refusals[0]
        quarantine.put(
            session,
            self._sealer,
            account_id=entry.owner.account_id if entry.owner else None,
            device_id=entry.device_id,
            reason=reason,
            detail=detail,
            topic=entry.arrived.topic,
            payload=entry.arrived.payload,
            received_at=entry.arrived.received_at,
        )


def _weeks(moments: list[datetime]) -> set[datetime]:
    """Return the weeks that the moments lie in; all of one or two adjacent ones is the common case."""
    first, last = positions.week_of(min(moments)), positions.week_of(max(moments))
    if last - first <= WEEK:
        return {first, last}
    return {positions.week_of(moment) for moment in moments}


def _address(arrived: Arrived) -> Address | Malformed:
    if not arrived.legible:
        return Malformed(Reason.BAD_TOPIC, "UTF-8")
    try:
        return parse(arrived.topic)
    except Malformed as error:
        return error


def _placed(entry: Entry) -> list[Placed]:
    owner = entry.owner
    if owner is None:
        return []
    return [
        Placed(
            account_id=owner.account_id,
            subject_id=owner.subject_id,
            device_id=owner.device_id,
            received_at=entry.arrived.received_at,
            position=report.position,
        )
        for report in entry.decoded.reports
        if report.position is not None
    ]


def _refused_by_store(entry: Entry, error: Exception) -> Entry:
    """Return the entry without what it says, but with its places in the stream: resending will not help."""
    marks = Decoded(reports=tuple(Report(mark=mark) for mark in entry.marks))
    refused = Malformed(Reason.STORE_REFUSED, _kind(error))
    return Entry(entry.arrived, entry.device_id, entry.dialect, entry.owner, marks, refused)


def _note_presence(session: Session, entries: Sequence[Entry]) -> None:
    """Store what each device said last of its presence, in device order: no two batches lock crosswise.

    A position after a last will says it too: OwnTracks has no other word for being back.
    """
    said: dict[tuple[str, str], bool] = {}
    for entry in entries:
        if entry.owner is None:
            continue
        key = entry.owner.account_id, entry.owner.device_id
        for report in entry.decoded.reports:
            if report.fact and report.fact.kind == "presence":
                said[key] = bool(report.fact.data["online"])
            elif (
                report.position and not entry.arrived.retained and said.get(key, entry.owner.online) is False
            ):
                said[key] = True
    for (account_id, device_id), online in sorted(said.items()):
        devices.set_online(session, account_id, device_id, online)


def _commit_marks(session: Session, entries: Sequence[Entry], now: datetime) -> list[Ack]:
    streams: dict[tuple[str, str, str], set[int]] = defaultdict(set)
    for entry in entries:
        if entry.owner is not None:
            for mark in entry.marks:
                streams[entry.owner.account_id, entry.owner.device_id, mark.boot].add(mark.seq)
    acks = []
    for (account_id, device_id, boot), seqs in sorted(streams.items()):
        seq = facts.commit_marks(session, account_id, device_id, boot, seqs, now)
        if seq is not None:
            acks.append(Ack(device_id=device_id, boot=boot, seq=seq))
    return acks


def _kind(error: BaseException) -> str:
    origin = getattr(error, "orig", None) or error
    state = getattr(origin, "sqlstate", None)
    return f"{type(origin).__name__} {state}" if state else type(origin).__name__
