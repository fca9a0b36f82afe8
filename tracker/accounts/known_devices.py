"""Marks of browsers that signed in for a number once; they open nothing, see `SignedIn.device_token`."""

import hmac
import secrets

from tracker.store.seal import Sealer


class KnownDevices:
    """Makes and recognises marks; nothing is stored."""

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer

    def new_token(self, phone: str) -> str:
        """Return a mark for the browser that has just signed in for `phone`."""
        nonce = secrets.token_urlsafe(16)
        return f"{nonce}.{self._mark(nonce, phone)}"

    def knows(self, device_token: str | None, phone: str) -> bool:
        """Tell whether `device_token` was made for `phone` by this deployment."""
        nonce, _, mark = (device_token or "").partition(".")
        return hmac.compare_digest(mark.encode(), self._mark(nonce, phone).encode())

    def _mark(self, nonce: str, phone: str) -> str:
        return self._sealer.blind(f"{nonce}/{phone}", purpose="known device").hex()
