"""Tries refused messages again when their owner asks for it: after a fix, or an adoption."""

from datetime import datetime

from tracker.domain.errors import Malformed, Reason
from tracker.ingest.arrived import Arrived
from tracker.ingest.origin import Origin, OriginKind
from tracker.ingest.prepare import Preparer
from tracker.ingest.resolve import Entry
from tracker.ingest.topics import parse
from tracker.ingest.writer import Writer
from tracker.store import quarantine
from tracker.store.quarantine import Replay
from tracker.store.seal import Sealer
from tracker.store.session import Database

AT_ONCE = 100


class Replayer:
    """Takes messages out of quarantine, writes them, and settles what became of each."""

    def __init__(self, database: Database, sealer: Sealer, preparer: Preparer, writer: Writer) -> None:
        self._database = database
        self._sealer = sealer
        self._preparer = preparer
        self._writer = writer

    def run(self, now: datetime) -> int:
        """Try up to a hundred messages again; return how many there were.

        Raises:
            Unavailable: the database is away; what was taken is due again in a minute.
        """
        with self._database.begin() as session:
            replays = quarantine.take_replays(session, self._sealer, AT_ONCE, now)
        if not replays:
            return 0
        batch = [self._preparer.prepare(_arrived(replay)) for replay in replays]
        _, entries = self._writer.write(batch, now)
        with self._database.begin() as session:
            for replay, entry in zip(replays, entries, strict=True):
                reason, detail = outcome(entry)
                quarantine.settle_replay(session, replay.quarantine_id, reason, detail, now)
        return len(replays)


def outcome(entry: Entry) -> tuple[Reason | None, str]:
    """Return why the message, or the first refused part of it, was refused; None if all of it was taken."""
    if entry.refused is not None:
        return entry.refused.reason, entry.refused.detail
    for problem in entry.decoded.problems:
        return problem.reason, problem.detail
    return (Reason.UNKNOWN_DEVICE, "no device is called so") if entry.strangers else (None, "")


def _arrived(replay: Replay) -> Arrived:
    return Arrived(
        0,
        0,
        replay.topic,
        replay.payload,
        replay.received_at,
        replay.retained,
        origin=None if _names_sender(replay) else _origin(replay),
        query=replay.query,
        headers=replay.headers,
        replay=True,
    )


def _names_sender(replay: Replay) -> bool:
    """Tell whether the message came by our own broker, whose topics name the sender."""
    try:
        return parse(replay.topic).device_id == replay.origin_id
    except Malformed:
        return False


def _origin(replay: Replay) -> Origin:
    return Origin(
        kind=OriginKind.DEVICE if replay.device_id else OriginKind.SOURCE,
        account_id=replay.account_id,
        origin_id=replay.device_id or replay.origin_id,
        dialect=replay.dialect or "",
    )
