"""What the service would make of messages, without broker and database: for device makers and tests. Pure."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from tracker.domain.position import Report
from tracker.ingest import coalesce
from tracker.ingest.coalesce import Window
from tracker.ingest.dialects._message import Assembling, Decoded, Dialect, Message

Line = Mapping[str, Any]

RECEIVED = datetime(2027, 1, 1, tzinfo=UTC)
"""When a corpus line without `received_at` is taken to have come: after every one."""


class Rehearsal:
    """Decodes messages and puts their parts together, for senders that may claim any identity."""

    def __init__(self) -> None:
        self._windows: dict[tuple[str, str | None], tuple[Assembling, Window]] = {}

    def hear(self, dialect: Dialect, message: Message) -> Decoded:
        """Return what a message says; its parts wait for `flush`.

        Raises:
            Malformed: nothing of it can be used.
        """
        decoded = dialect.decode(message)
        if decoded.parts and isinstance(dialect, Assembling):
            for device in dict.fromkeys(part.external_id for part in decoded.parts):
                parts = [part for part in decoded.parts if part.external_id == device]
                _, before = self._windows.get((dialect.name, device), (dialect, None))
                after = coalesce.fold(
                    before,
                    dialect.name,
                    dialect.window,
                    parts,
                    message.received_at,
                    retained=message.retained,
                )
                self._windows[dialect.name, device] = dialect, after
        return decoded

    def flush(self) -> Iterator[Report]:
        """Close every window and give the positions that came of it."""
        for (name, device), (dialect, window) in tuple(self._windows.items()):
            if window.due_at is None:
                continue
            closed, report = coalesce.close(window, dialect)
            self._windows[name, device] = dialect, closed
            if report is not None:
                yield Report(external_id=device, position=report.position)


def corpus_dialect(line: Line) -> str:
    """Return which dialect reads a corpus line: the corpus calls OsmAnd's query strings traccar_client."""
    return "osmand" if line["dialect"] == "traccar_client" and _is_query(line) else str(line["dialect"])


def corpus_message(line: Line) -> Message:
    """Return the message of a corpus line (its form: tests/corpus/README.md)."""
    http = line.get("http") or {}
    payload, query = str(line["payload"]), str(http.get("query") or _behind_mark(http.get("path") or ""))
    if line["transport"] == "http" and _method(line) == "GET":
        payload, query = "", _behind_mark(payload) or payload
    received = line.get("received_at")
    return Message(
        topic=line.get("topic") or "",
        payload=payload.encode(),
        received_at=datetime.fromisoformat(received) if received else RECEIVED,
        retained=bool(line.get("retain")),
        payload_key=line["key"].encode() if line.get("key") else None,
        query=query,
        headers={str(name).lower(): str(value) for name, value in (http.get("headers") or {}).items()},
    )


def _behind_mark(path: str) -> str:
    return path.partition("?")[2]


def _method(line: Line) -> str:
    return str(line.get("method") or (line.get("http") or {}).get("method") or "POST").upper()


def _is_query(line: Line) -> bool:
    headers = {
        str(name).lower(): str(value)
        for name, value in ((line.get("http") or {}).get("headers") or {}).items()
    }
    return _method(line) == "GET" or "urlencoded" in headers.get("content-type", "")
