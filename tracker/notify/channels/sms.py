"""SMS."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from tracker.domain.notification import Notification
from tracker.notify.channels._channel import transport_of
from tracker.notify.compose import compose
from tracker.notify.transports._sender import OnReceipt, Transport, no_receipts


class SmsChannel:
    """Sends over the transport that `url`, the setting `TRACKER_SMS`, chooses; receipts go to `on_receipt`.

    Raises:
        Misconfigured: no transport is for this URL, or it cannot be used as it is.
    """

    name = "sms"

    def __init__(
        self,
        transports: Mapping[str, Transport],
        *,
        url: str,
        sender: str,
        outbox_dir: Path,
        on_receipt: OnReceipt = no_receipts,
    ) -> None:
        transport = transport_of(transports, url, "TRACKER_SMS")
        self._sender = transport.open(url, sender, outbox_dir, on_receipt)

    def send(self, notification: Notification, now: datetime, *, message_id: str) -> None:
        """Compose and hand over one message.

        Raises:
            Unavailable: not now; trying again may help.
            Refused: this message will never be taken.
        """
        self._sender.send(notification.to, compose(notification).plain, now, message_id=message_id)

    def close(self) -> None:
        """Take leave of the gateway."""
        self._sender.close()


CHANNEL = SmsChannel
