"""Keeps secrets at rest: values sealed under a key of the deployment, tokens and phones as keyed hashes."""

import base64
import hashlib
import hmac
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from tracker.domain.errors import Misconfigured

_NONCE_BYTES = 12


class Sealer:
    """Seals and opens values (AES-256-GCM) with keys derived from the secret key (HKDF-SHA-256)."""

    def __init__(self, secret_key: str) -> None:
        if len(secret_key) < 32:
            raise Misconfigured("TRACKER_SECRET_KEY: at least 32 characters")
        self._secret = secret_key.encode()
        self._cipher = AESGCM(self.key("seal"))

    def key(self, purpose: str) -> bytes:
        """Return the 32-byte key of one purpose; different purposes give unrelated keys."""
        derivation = HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=f"ryadom/{purpose}".encode())
        return derivation.derive(self._secret)

    def seal(self, plain: bytes, *, context: str) -> bytes:
        """Return `plain` encrypted and bound to `context`, which says where it lies ("outbox/<id>")."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, plain, context.encode())

    def open(self, sealed: bytes, *, context: str) -> bytes:
        """Return what `seal` was given.

        Raises:
            Misconfigured: the secret key is another one, or the bytes were changed or moved.
        """
        try:
            return self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], context.encode())
        except (InvalidTag, ValueError):
            raise Misconfigured("TRACKER_SECRET_KEY does not open what was stored with it") from None

    def sign(self, content: bytes, *, purpose: str) -> str:
        """Return the Ed25519 signature of `content` in base64, by the key of one purpose."""
        return base64.b64encode(self._signer(purpose).sign(content)).decode()

    def public_key(self, purpose: str) -> str:
        """Return what checks the signatures of one purpose: the raw Ed25519 key in base64."""
        return base64.b64encode(self._signer(purpose).public_key().public_bytes_raw()).decode()

    def _signer(self, purpose: str) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.key(f"sign/{purpose}"))

    def blind(self, value: str, *, purpose: str) -> bytes:
        """Return a keyed 32-byte hash of a low-entropy value (a phone, an address) for equality look-ups."""
        return hmac.digest(self.key(f"blind/{purpose}"), value.encode(), "sha256")


def token_hash(token: str) -> bytes:
    """Return the SHA-256 of a random token of at least 128 bits, which needs no slower hash."""
    return hashlib.sha256(token.encode()).digest()
