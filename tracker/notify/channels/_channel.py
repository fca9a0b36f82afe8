"""What every channel gives."""

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol, TypeVar
from urllib.parse import urlsplit

from tracker.domain.errors import Misconfigured
from tracker.domain.notification import Notification


class Channel(Protocol):
    """A way to reach a person; safe for use by several threads."""

    def send(self, notification: Notification, now: datetime, *, message_id: str) -> None:
        """Compose and hand over one notification. A repeat after a crash has the same `message_id`.

        Raises:
            Unavailable: not now; trying again may help.
            Refused: this notification will never be taken.
        """

    def close(self) -> None:
        """Take leave of the gateway; nothing is being sent, and nothing will be."""


class Chosen(Protocol):
    """A transport, as far as choosing goes."""

    @property
    def schemes(self) -> tuple[str, ...]: ...


Kind = TypeVar("Kind", bound=Chosen)


def transport_of(transports: Mapping[str, Kind], url: str, setting: str) -> Kind:
    """Return the transport that is for the URL, or the bare word, of a setting.

    Raises:
        Misconfigured: there is none; names those that there are.
    """
    scheme = urlsplit(url).scheme or url
    for transport in transports.values():
        if scheme in transport.schemes:
            return transport
    known = ", ".join(scheme for transport in transports.values() for scheme in transport.schemes)
    raise Misconfigured(f"{setting}: one of {known}")
