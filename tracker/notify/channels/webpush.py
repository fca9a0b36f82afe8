"""Web push: a message to every browser that a contact subscribed (RFC 8030, 8291, 8292)."""

import json
import ssl
from collections.abc import Callable
from datetime import datetime

import structlog

from tracker.domain.errors import Refused, Unavailable
from tracker.domain.notification import Notification
from tracker.domain.rule import Urgency
from tracker.notify.channels._push_message import PAYLOAD_BYTES, VapidKey, encrypt
from tracker.notify.channels._push_service import PushService
from tracker.notify.compose import Text, compose
from tracker.store import push_subscriptions
from tracker.store.push_subscriptions import Subscription
from tracker.store.seal import Sealer
from tracker.store.session import Database

BROWSERS_MOST = 20
"""Of one contact; the newest count."""
TTL_MOST_S = 28 * 24 * 3600
_BODY_SHOWN = 1000
_GONE = frozenset({404, 410})
_LATER = frozenset({408, 425, 429})
# RFC 8030, 5.3. Both of the upper ones wake a phone that sleeps.
_URGENCY = {
    Urgency.QUIET: "low",
    Urgency.NORMAL: "normal",
    Urgency.URGENT: "high",
    Urgency.ALARM: "high",
}

log = structlog.get_logger()


class WebPushChannel:
    """Sends to the subscriptions of the contact that `to` names; those that ended are removed.

    `subject` is the `mailto:` or `https:` address of who answers for the messages. With `private_allowed`
    push services may be at private addresses and without TLS: for tests.
    """

    name = "webpush"

    def __init__(
        self,
        database: Database,
        sealer: Sealer,
        key: VapidKey,
        subject: str,
        tls: ssl.SSLContext,
        *,
        private_allowed: bool = False,
    ) -> None:
        self._database = database
        self._sealer = sealer
        self._key = key
        self._subject = subject
        self._service = PushService(tls, private_allowed=private_allowed)

    def send(self, notification: Notification, now: datetime, *, message_id: str) -> None:
        """Send to each browser; it is sent if one of their services took it.

        Raises:
            Unavailable: none took it, but one may later.
            Refused: no browser is subscribed any more, or all services refuse.
        """
        account_id = notification.account_id
        if account_id is None:
            raise Refused("a push needs an account")
        payload = payload_of(notification, compose(notification), message_id)
        with self._database.begin() as session:
            found = push_subscriptions.of_contact(session, self._sealer, account_id, notification.to)
        headers = self._headers(notification, now, message_id)
        outcomes = []
        for subscription in found[-BROWSERS_MOST:]:
            outcome = self._one(account_id, subscription, payload, headers, now)
            outcomes.append(outcome)
        if None in outcomes:
            return
        later = next((each for each in outcomes if isinstance(each, Unavailable)), None)
        if later is not None:
            raise later
        raise next((each for each in outcomes if each is not None), Refused("no browser is subscribed"))

    def close(self) -> None:
        """Close its connections."""
        self._service.close()

    def _one(
        self,
        account_id: str,
        subscription: Subscription,
        payload: bytes,
        headers: dict[str, str],
        now: datetime,
    ) -> Refused | Unavailable | None:
        """Send to one browser; return why it was not taken, or None."""
        try:
            body = encrypt(payload, subscription.p256dh, subscription.auth)
            signed = self._key.authorization(subscription.endpoint, self._subject, now)
            status = self._service.post(subscription.endpoint, {**headers, "Authorization": signed}, body)
        except (Refused, Unavailable) as error:
            return error
        except ValueError:
            return Refused("the browser's key is none")
        if 200 <= status < 300:
            return None
        if status in _GONE:
            with self._database.begin() as session:
                push_subscriptions.remove(session, account_id, subscription.subscription_id)
            log.info("a browser's subscription has ended", id=subscription.subscription_id)
            return Refused("the browser's subscription has ended")
        kind: Callable[[str], Refused | Unavailable] = (
            Unavailable if status in _LATER or status >= 500 else Refused
        )
        return kind(f"the push service answers {status}")

    def _headers(self, notification: Notification, now: datetime, message_id: str) -> dict[str, str]:
        lives_s = int((notification.expires_at - now).total_seconds())
        return {
            "Content-Type": "application/octet-stream",
            "Content-Encoding": "aes128gcm",
            "TTL": str(min(max(lives_s, 0), TTL_MOST_S)),
            "Urgency": _URGENCY[notification.urgency],
            # A repeat takes the place of one that the browser has not fetched yet.
            "Topic": tag_of(notification, message_id),
        }


def tag_of(notification: Notification, message_id: str) -> str:
    """Return what joins a message with its repeats, on the way and on the screen: at most 32 characters."""
    return (notification.alert_id or message_id)[:32]


def payload_of(notification: Notification, text: Text, message_id: str) -> bytes:
    """Return the JSON that the service worker reads: `title`, `body`, `tag`, `url` and `urgency`."""
    body = text.body
    while True:
        octets = json.dumps(
            {
                "title": text.subject or ("Ryadom" if notification.locale == "en" else "Рядом"),
                "body": body if len(body) <= _BODY_SHOWN else body[: _BODY_SHOWN - 1] + "…",
                "tag": tag_of(notification, message_id),
                "url": text.link,
                "urgency": notification.urgency.name.lower(),
            },
            ensure_ascii=False,
        ).encode("utf-8", "replace")
        if len(octets) <= PAYLOAD_BYTES:
            return octets
        body = body[: min(len(body), _BODY_SHOWN) * 3 // 4]


CHANNEL = WebPushChannel
