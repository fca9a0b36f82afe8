"""Messages as lines of a file: for one machine and for development."""

import fcntl
import json
import os
from datetime import UTC, datetime
from pathlib import Path

from tracker.domain.errors import Unavailable

FILE = "sms.jsonl"


class FileSender:
    """Appends one JSON object a line, `{"at", "from", "to", "text"}`, readable by the owner only."""

    def __init__(self, path: Path, sender: str) -> None:
        self._path = path
        self._sender = sender

    def send(self, to: str, text: str, now: datetime, *, message_id: str) -> None:  # noqa: ARG002
        """Append a line, whole or not at all.

        Raises:
            Unavailable: the file cannot be written, or the disk is full.
        """
        at = now.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        line = {"at": at, "from": self._sender, "to": to, "text": text}
        try:
            self._append(json.dumps(line, ensure_ascii=False).encode() + b"\n")
        except OSError as error:
            raise Unavailable(f"the SMS file cannot be written: {error.strerror}") from error

    def _append(self, line: bytes) -> None:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            size = os.fstat(descriptor).st_size
            try:
                if os.write(descriptor, line) != len(line):
                    raise OSError(28, "no space left")
                os.fsync(descriptor)
            except OSError:
                os.ftruncate(descriptor, size)
                raise
        finally:
            os.close(descriptor)


class FileTransport:
    """`TRACKER_SMS=file`."""

    name = "file"
    schemes = ("file",)

    def open(self, url: str, sender: str, outbox_dir: Path) -> FileSender:  # noqa: ARG002
        """Return the sender that writes `sms.jsonl` in `outbox_dir`."""
        return FileSender(outbox_dir / FILE, sender)


TRANSPORT = FileTransport()
