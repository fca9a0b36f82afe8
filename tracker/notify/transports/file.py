"""Messages as lines of a file: for one machine and for development."""

from datetime import datetime
from pathlib import Path

from tracker.domain.errors import Unavailable
from tracker.notify._lines_file import append_line
from tracker.notify.transports._sender import OnReceipt, no_receipts

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
        line = {"from": self._sender, "to": to, "text": text}
        try:
            append_line(self._path, now, line)
        except OSError as error:
            raise Unavailable(f"the SMS file cannot be written: {error.strerror}") from error

    def close(self) -> None:
        """Do nothing: each line has its own opening of the file."""


class FileTransport:
    """`TRACKER_SMS=file`."""

    name = "file"
    schemes = ("file",)

    def open(
        self,
        url: str,  # noqa: ARG002
        sender: str,
        outbox_dir: Path,
        on_receipt: OnReceipt = no_receipts,  # noqa: ARG002
    ) -> FileSender:
        """Return the sender that writes `sms.jsonl` in `outbox_dir`."""
        return FileSender(outbox_dir / FILE, sender)


TRANSPORT = FileTransport()
