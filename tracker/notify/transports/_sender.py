"""What every transport gives."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What became of a message afterwards: whether it is on the person's phone, or never will be."""

    message_id: str
    delivered: bool


OnReceipt = Callable[[Receipt], None]
"""Told of receipts, in a thread of the transport; only transports that get receipts call it."""


def no_receipts(receipt: Receipt) -> None:
    """Ignore a receipt: for whoever keeps no ledger."""


class Sender(Protocol):
    """An open transport; safe for use by several threads."""

    def send(self, to: str, text: str, now: datetime, *, message_id: str) -> None:
        """Hand over one message to `to` (E.164). A repeat after a crash has the same `message_id`.

        Raises:
            Unavailable: not now; trying again may help.
            Refused: this message will never be taken.
        """

    def close(self) -> None:
        """Take leave of the gateway; nothing is being sent, and nothing will be."""


class Transport(Protocol):
    """A way to send; `schemes` are the beginnings of `TRACKER_SMS` that choose it."""

    @property
    def name(self) -> str: ...
    @property
    def schemes(self) -> tuple[str, ...]: ...

    def open(self, url: str, sender: str, outbox_dir: Path, on_receipt: OnReceipt = no_receipts) -> Sender:
        """Return the sender of a setting; nothing is contacted yet. `sender` is what messages come from.

        Raises:
            Misconfigured: the setting cannot be used as it is.
        """
