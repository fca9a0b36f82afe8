"""Letters as lines of a file: for one machine and for development."""

from datetime import datetime
from pathlib import Path

from tracker.domain.errors import Unavailable
from tracker.notify._lines_file import append_line
from tracker.notify.mail._mailer import Letter

FILE = "mail.jsonl"


class FileMailer:
    """Appends one object a line, `{"at", "from", "to", "subject", "text"}`, readable by the owner only."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def send(self, letter: Letter, now: datetime, *, message_id: str) -> None:  # noqa: ARG002
        """Append a line, whole or not at all.

        Raises:
            Unavailable: the file cannot be written, or the disk is full.
        """
        line = {"from": letter.sender, "to": letter.to, "subject": letter.subject, "text": letter.text}
        try:
            append_line(self._path, now, line)
        except OSError as error:
            raise Unavailable(f"the mail file cannot be written: {error.strerror}") from error

    def probe(self) -> None:
        """Do nothing: the folder is made when it is needed."""


class FileTransport:
    """`TRACKER_MAIL=file`."""

    name = "file"
    schemes = ("file",)

    def open(self, url: str, outbox_dir: Path) -> FileMailer:  # noqa: ARG002
        """Return the mailer that writes `mail.jsonl` in `outbox_dir`."""
        return FileMailer(outbox_dir / FILE)


TRANSPORT = FileTransport()
