"""Links that open one alert to one contact for a day, without signing in: `/a/{token}`.

A token is base64url of 28 bytes, 38 characters, so that it fits beside words in an SMS: account and delivery
(8 bytes each), and the first 12 of an HMAC-SHA-256 over both under a key of its own. The delivery's line in
the ledger says which alert and contact it is for, and when it was made.
"""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import timedelta

from tracker.store.seal import Sealer

OPENS_FOR = timedelta(hours=24)
"""From the moment at which the message was due."""
_MAC_BYTES = 12
_TOKEN_LENGTH = 38


class Links:
    """Makes and reads the links of one deployment; `public_url` is where its pages are ("https://host")."""

    def __init__(self, sealer: Sealer, public_url: str) -> None:
        self._key = sealer.key("alert links")
        self._public_url = public_url.rstrip("/")

    def of_alert(self, alert_id: str) -> str:
        """Return the page of an alert, for who signs in."""
        return f"{self._public_url}/alerts/{alert_id}"

    def of_alerts(self) -> str:
        """Return the page of all alerts, for who signs in."""
        return f"{self._public_url}/alerts"

    def of_delivery(self, account_id: str, delivery_id: str) -> str:
        """Return the link by which the contact of a delivery opens its alert."""
        return f"{self._public_url}/a/{self.token(account_id, delivery_id)}"

    def token(self, account_id: str, delivery_id: str) -> str:
        """Return the token of a delivery."""
        named = bytes.fromhex(account_id) + bytes.fromhex(delivery_id)
        return urlsafe_b64encode(named + self._mac(named)).rstrip(b"=").decode()

    def read(self, token: str) -> tuple[str, str] | None:
        """Return account and delivery of a token, or None if it is not one of this deployment."""
        if len(token) != _TOKEN_LENGTH or not token.isascii():
            return None
        try:
            raw = urlsafe_b64decode(token + "==")
        except ValueError:
            return None
        account_id, delivery_id = raw[:8].hex(), raw[8:16].hex()
        # Compared as text: the decoder passes over strange characters and unused bits.
        if len(raw) != 28 or not hmac.compare_digest(self.token(account_id, delivery_id), token):
            return None
        return account_id, delivery_id

    def _mac(self, named: bytes) -> bytes:
        return hmac.digest(self._key, named, "sha256")[:_MAC_BYTES]
