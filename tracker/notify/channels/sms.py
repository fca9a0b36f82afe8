"""SMS."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from tracker.domain.errors import Misconfigured
from tracker.domain.notification import Notification
from tracker.notify.compose import compose
from tracker.notify.transports._sender import Transport


class SmsChannel:
    """Sends over the transport that `url`, the setting `TRACKER_SMS`, chooses.

    Raises:
        Misconfigured: no transport is for this URL.
    """

    name = "sms"

    def __init__(
        self, transports: Mapping[str, Transport], *, url: str, sender: str, outbox_dir: Path
    ) -> None:
        scheme = urlsplit(url).scheme or url
        for transport in transports.values():
            if scheme in transport.schemes:
                self._sender = transport.open(url, sender, outbox_dir)
                return
        known = ", ".join(scheme for transport in transports.values() for scheme in transport.schemes)
        raise Misconfigured(f"TRACKER_SMS: one of {known}")

    def send(self, notification: Notification, now: datetime, *, message_id: str) -> None:
        """Compose and hand over one message.

        Raises:
            Unavailable: not now; trying again may help.
            Refused: this message will never be taken.
        """
        self._sender.send(notification.to, compose(notification).body, now, message_id=message_id)


CHANNEL = SmsChannel
