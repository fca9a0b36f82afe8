"""What every channel gives."""

from datetime import datetime
from typing import Protocol

from tracker.domain.notification import Notification


class Channel(Protocol):
    """A way to reach a person; safe for use by several threads."""

    def send(self, notification: Notification, now: datetime, *, message_id: str) -> None:
        """Compose and hand over one notification. A repeat after a crash has the same `message_id`.

        Raises:
            Unavailable: not now; trying again may help.
            Refused: this notification will never be taken.
        """
