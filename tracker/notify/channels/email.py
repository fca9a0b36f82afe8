"""E-mail."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from tracker.domain.notification import Notification
from tracker.notify.channels._channel import transport_of
from tracker.notify.compose import compose
from tracker.notify.mail._mailer import Letter, MailTransport


class EmailChannel:
    """Sends over the transport that `url`, the setting `TRACKER_MAIL`, chooses; from `TRACKER_MAIL_FROM`.

    Raises:
        Misconfigured: no transport is for this URL, or it cannot be used as it is.
    """

    name = "email"

    def __init__(
        self, transports: Mapping[str, MailTransport], *, url: str, sender: str, outbox_dir: Path
    ) -> None:
        self._mailer = transport_of(transports, url, "TRACKER_MAIL").open(url, outbox_dir)
        self._sender = sender

    def send(self, notification: Notification, now: datetime, *, message_id: str) -> None:
        """Compose and hand over one letter.

        Raises:
            Unavailable: not now; trying again may help.
            Refused: this letter will never be taken.
        """
        text = compose(notification)
        product = "Ryadom" if notification.locale == "en" else "Рядом"
        letter = Letter(
            sender=self._sender,
            to=notification.to,
            subject=text.subject or product,
            text=f"{text.plain}\n\n-- \n{product}\n",
        )
        self._mailer.send(letter, now, message_id=message_id)

    def close(self) -> None:
        """Do nothing: each letter has a connection of its own."""


CHANNEL = EmailChannel
