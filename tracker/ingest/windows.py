"""Keeps what assembling dialects say until it makes a position; in the database, so that nothing is lost."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

import structlog

from tracker.domain.position import Position
from tracker.domain.window import Window
from tracker.ingest.coalesce import close, fold
from tracker.ingest.dialects._message import Assembling, Dialect, Part
from tracker.ingest.resolve import Entry
from tracker.store import windows
from tracker.store.devices import Owned
from tracker.store.session import Session

Told = tuple[Owned, datetime, bool, list[Part]]

log = structlog.get_logger()


class Assembler:
    """Folds parts into windows and closes them; `dialects` by name."""

    def __init__(self, dialects: Mapping[str, Dialect]) -> None:
        self._dialects = {
            name: dialect for name, dialect in dialects.items() if isinstance(dialect, Assembling)
        }

    def fold(self, session: Session, entries: Sequence[Entry]) -> list[tuple[Owned, Position, datetime]]:
        """Take the parts of these messages; return what windows that were over made, and as of when."""
        told = list(_told(entries))
        open_windows: dict[windows.Key, Window] = dict(
            windows.load(session, {(owner.account_id, owner.device_id) for _, (owner, _, _, _) in told})
        )
        made = []
        for name, (owner, received_at, retained, parts) in told:
            dialect = self._dialects.get(name)
            if dialect is None:
                continue
            key = owner.account_id, owner.device_id
            window = open_windows.get(key)
            if window is not None and window.is_due(received_at):
                window, position = self._close(window)
                if position is not None:
                    made.append((owner, position, window.received_at))
            open_windows[key] = fold(window, name, dialect.window, parts, received_at, retained=retained)
        windows.save(session, open_windows)
        return made

    def close_due(
        self, session: Session, now: datetime, limit: int
    ) -> tuple[int, list[tuple[str, Position]]]:
        """Close up to `limit` windows that are over; return how many, and the positions by device id."""
        due = windows.load_due(session, now, limit)
        made = []
        closed = {}
        for key, window in due.items():
            closed[key], position = self._close(window)
            if position is not None:
                made.append((key[1], position))
        windows.save(session, closed)
        return len(due), made

    def _close(self, window: Window) -> tuple[Window, Position | None]:
        dialect = self._dialects.get(window.dialect)
        if dialect is None:
            log.error("a window of a dialect that is not known here", dialect=window.dialect)
            return Window(dialect=window.dialect, received_at=window.received_at), None
        closed, report = close(window, dialect)
        return closed, report.position if report else None


def _told(entries: Sequence[Entry]) -> Iterator[tuple[str, Told]]:
    """Yield, in order, each message's parts of each device, with the dialect's name."""
    for entry in entries:
        by_device: dict[str, Told] = {}
        for owner, part in entry.parts:
            arrived = entry.arrived
            told = by_device.setdefault(owner.device_id, (owner, arrived.received_at, arrived.retained, []))
            told[3].append(part)
        for told in by_device.values():
            yield entry.dialect_name, told
