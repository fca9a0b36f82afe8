"""What every mail transport gives."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A mail to one person; `sender` is an address, or a name with one: `Ryadom <alerts@ryadom.example>`."""

    sender: str
    to: str
    subject: str
    text: str


class Mailer(Protocol):
    """An open mail transport; safe for use by several threads."""

    def send(self, letter: Letter, now: datetime, *, message_id: str) -> None:
        """Hand over one letter. A repeat after a crash has the same `message_id`.

        Raises:
            Unavailable: not now; trying again may help.
            Refused: this letter will never be taken.
        """

    def probe(self) -> None:
        """Do all that precedes a letter, and send none.

        Raises:
            Unavailable: letters would not go out now; says why.
        """


class MailTransport(Protocol):
    """A way to send mail; `schemes` are the beginnings of `TRACKER_MAIL` that choose it."""

    @property
    def name(self) -> str: ...
    @property
    def schemes(self) -> tuple[str, ...]: ...

    def open(self, url: str, outbox_dir: Path) -> Mailer:
        """Return the mailer of a setting; nothing is contacted yet.

        Raises:
            Misconfigured: the setting cannot be used as it is.
        """
