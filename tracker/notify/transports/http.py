"""An operator's or aggregator's HTTP gateway.

`https://user:pass@gateway/send` gets `POST` with `{"from", "to", "text"}`; a URL with the placeholders
`{to}`, `{text}` and `{from}` gets `GET` with the values in their places, URL-encoded. User and password go as
Basic authentication, the message's id as `Idempotency-Key`, so that a gateway can drop a repeat.
"""

import logging
from datetime import datetime
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit, urlunsplit

import httpx

from tracker.domain.errors import Refused, Unavailable
from tracker.notify.transports._sender import OnReceipt, no_receipts

_TIMEOUT = httpx.Timeout(connect=3, read=6, write=3, pool=3)
_TRY_AGAIN = frozenset({408, 425, 429})
_PLACEHOLDERS = ("{to}", "{text}", "{from}")


class HttpSender:
    """Sends by one request a message; redirects are not followed, since they would carry it elsewhere."""

    def __init__(self, url: str, sender: str) -> None:
        # httpx logs each URL, which may hold the number and the text.
        for name in ("httpx", "httpcore"):
            logging.getLogger(name).setLevel(logging.WARNING)
        parts = urlsplit(url)
        self._url = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
        self._sender = sender
        auth = (unquote(parts.username), unquote(parts.password or "")) if parts.username else None
        # The machine's proxy variables and .netrc have no say in where codes go.
        self._client = httpx.Client(auth=auth, timeout=_TIMEOUT, follow_redirects=False, trust_env=False)

    def send(self, to: str, text: str, now: datetime, *, message_id: str) -> None:  # noqa: ARG002
        """Hand the message to the gateway.

        Raises:
            Unavailable: no answer, 408, 425, 429 or 5xx.
            Refused: any other answer but 2xx.
        """
        request = self._request(to, text)
        request.headers["Idempotency-Key"] = message_id
        try:
            response = self._client.send(request, stream=True)
            response.close()
        except httpx.TransportError as error:
            raise Unavailable(f"the SMS gateway does not answer: {type(error).__name__}") from None
        status = response.status_code
        if response.is_success:
            return
        if status in _TRY_AGAIN or status >= 500:
            raise Unavailable(f"the SMS gateway answers {status}")
        raise Refused(f"the SMS gateway answers {status}")

    def close(self) -> None:
        """End the connections to the gateway."""
        self._client.close()

    def _request(self, to: str, text: str) -> httpx.Request:
        message = {"from": self._sender, "to": to, "text": text}
        if not any(each in self._url for each in _PLACEHOLDERS):
            return self._client.build_request("POST", self._url, json=message)
        url = self._url
        # The text last: what it holds must not be taken for a placeholder.
        for name in ("from", "to", "text"):
            url = url.replace("{" + name + "}", quote(message[name], safe=""))
        return self._client.build_request("GET", url)


class HttpTransport:
    """`TRACKER_SMS=http(s)://...`."""

    name = "http"
    schemes = ("http", "https")

    def open(
        self,
        url: str,
        sender: str,
        outbox_dir: Path,  # noqa: ARG002
        on_receipt: OnReceipt = no_receipts,  # noqa: ARG002
    ) -> HttpSender:
        """Return the sender of a gateway's URL."""
        return HttpSender(url, sender)


TRANSPORT = HttpTransport()
