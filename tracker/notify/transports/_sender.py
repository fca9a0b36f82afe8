"""What every transport gives."""

from datetime import datetime
from pathlib import Path
from typing import Protocol


class Sender(Protocol):
    """An open transport; safe for use by several threads."""

    def send(self, to: str, text: str, now: datetime, *, message_id: str) -> None:
        """Hand over one message to `to` (E.164). A repeat after a crash has the same `message_id`.

        Raises:
            Unavailable: not now; trying again may help.
            Refused: this message will never be taken.
        """


class Transport(Protocol):
    """A way to send; `schemes` are the beginnings of `TRACKER_SMS` that choose it."""

    @property
    def name(self) -> str: ...
    @property
    def schemes(self) -> tuple[str, ...]: ...

    def open(self, url: str, sender: str, outbox_dir: Path) -> Sender:
        """Return the sender of a setting; nothing is contacted yet. `sender` is what messages come from."""
