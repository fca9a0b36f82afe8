"""A push service of a test: looks at what comes as a real one does, and opens it as the browser would.

The signature is verified with `cryptography`, the body is opened with `http_ece`, which others wrote.
"""

import json
import os
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import http_ece
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.kit.certificates import write_certificate
from tracker.notify.channels._push_message import b64, unb64

STATUSES = {
    "gone": 410,
    "missing": 404,
    "busy": 429,
    "broken": 503,
    "large": 413,
    "moved": 307,
    "not-ours": 403,
}


class Browser:
    """A browser's keys: what it gives when it subscribes, and how it opens what it gets."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._secret = os.urandom(16)

    @property
    def p256dh(self) -> str:
        """Its public key, base64url."""
        return b64(self._key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint))

    @property
    def auth(self) -> str:
        """Its secret, base64url."""
        return b64(self._secret)

    def open(self, body: bytes) -> dict[str, Any]:
        """Return the JSON that the service worker would get."""
        plain = http_ece.decrypt(body, private_key=self._key, auth_secret=self._secret, version="aes128gcm")
        opened: dict[str, Any] = json.loads(plain)
        return opened


@dataclass
class Push:
    """One request as it came; `claims` are those of a signature that was right."""

    path: str
    headers: dict[str, str]
    body: bytes
    claims: dict[str, Any]
    key: str


@dataclass
class PushSink:
    """Answers 201, or what the last part of the path says: gone, missing, busy, broken, large, moved."""

    url: str
    certificate: Path | None
    got: list[Push] = field(default_factory=list)

    def endpoint(self, name: str = "one") -> str:
        """Return what a browser of this service would give."""
        return f"{self.url}/{name}"


@contextmanager
def push_sink(folder: Path, *, tls: bool = True) -> Iterator[PushSink]:
    """Run a push service on a free port of this machine."""
    sink = PushSink("", None)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            claims, key = _verified(self.headers["Authorization"])
            headers = {name.lower(): value for name, value in self.headers.items()}
            sink.got.append(Push(self.path, headers, body, claims, key))
            self.send_response(STATUSES.get(self.path.rpartition("/")[2], 201))
            self.send_header("Location", "/elsewhere")
            self.send_header("Retry-After", "7")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if tls:
        sink.certificate, key_file = write_certificate(folder)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(sink.certificate, key_file)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    sink.url = f"{'https' if tls else 'http'}://localhost:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield sink
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _verified(authorization: str) -> tuple[dict[str, Any], str]:
    """Return the claims and the key of `vapid t=..., k=...` (RFC 8292).

    Raises:
        InvalidSignature: the key did not sign this.
    """
    members = dict(each.strip().split("=", 1) for each in authorization.removeprefix("vapid ").split(","))
    header, claims, signature = members["t"].split(".")
    raw = unb64(signature)
    key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), unb64(members["k"]))
    key.verify(
        utils.encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big")),
        f"{header}.{claims}".encode(),
        ec.ECDSA(hashes.SHA256()),
    )
    assert json.loads(unb64(header)) == {"typ": "JWT", "alg": "ES256"}
    return json.loads(unb64(claims)), members["k"]
