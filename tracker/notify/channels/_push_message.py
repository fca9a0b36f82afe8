"""A web push message as it goes out: encrypted for one browser, signed by this deployment. Pure.

Sources: RFC 8291 (encryption), RFC 8188 (its content coding), RFC 8292 (the signature), RFC 7515 (its form).
"""

import base64
import binascii
import json
import os
import struct
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from tracker.domain.errors import Invalid
from tracker.domain.network import is_surely_private

PAYLOAD_BYTES = 3993
"""What one record of 4,096 octets holds besides a header of 86, a tag of 16 and a delimiter (RFC 8291, 4)."""
SIGNED_FOR = timedelta(hours=12)
ENDPOINT_LENGTH = 2048
_RECORD_BYTES = 4096
_POINT_BYTES, _AUTH_BYTES, _SALT_BYTES = 65, 16, 16
_LAST_RECORD = b"\x02"


class VapidKey:
    """The deployment's key, by which push services know it again (RFC 8292); P-256."""

    def __init__(self, key: ec.EllipticCurvePrivateKey) -> None:
        self._key = key

    @classmethod
    def new(cls) -> "VapidKey":
        """Make one."""
        return cls(ec.generate_private_key(ec.SECP256R1()))

    @classmethod
    def of_pem(cls, pem: str) -> "VapidKey":
        """Read what `pem` wrote.

        Raises:
            ValueError: it is none.
        """
        try:
            key = serialization.load_pem_private_key(pem.encode(), password=None)
        except (TypeError, UnsupportedAlgorithm) as error:
            raise ValueError("no key") from error
        if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
            raise ValueError("no P-256 key")
        return cls(key)

    @property
    def pem(self) -> str:
        """The key as PKCS 8, to be kept secret."""
        return self._key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode()

    @property
    def public(self) -> str:
        """What a page gives as `applicationServerKey`: the uncompressed point, base64url."""
        return b64(_point(self._key.public_key()))

    def authorization(self, endpoint: str, subject: str, now: datetime) -> str:
        """Return the header by which this deployment is known to the endpoint's service for 12 hours.

        `subject` is a `mailto:` or `https:` address of who answers for the messages.
        """
        parts = urlsplit(endpoint)
        claims = {
            "aud": f"{parts.scheme}://{parts.netloc}",
            "exp": int((now + SIGNED_FOR).timestamp()),
            "sub": subject,
        }
        signed = f"{_json({'typ': 'JWT', 'alg': 'ES256'})}.{_json(claims)}"
        r, s = utils.decode_dss_signature(self._key.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
        return f"vapid t={signed}.{b64(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}, k={self.public}"


def check_subscription(endpoint: str, p256dh: str, auth: str, *, private_allowed: bool = False) -> None:
    """See that a browser's subscription is one that can be sent to; names are resolved when it is.

    Raises:
        Invalid: ("endpoint" | "keys.p256dh" | "keys.auth", ...).
    """
    try:
        parts = urlsplit(endpoint)
        schemes = {"https", "http"} if private_allowed else {"https"}
        bad = (
            len(endpoint) > ENDPOINT_LENGTH
            or not endpoint.isascii()
            or not endpoint.isprintable()
            or " " in endpoint
            or parts.scheme not in schemes
            or not parts.hostname
            or parts.port == 0
            or "@" in parts.netloc
            or (not private_allowed and is_surely_private(parts.hostname))
        )
    except ValueError:
        bad = True
    if bad:
        raise Invalid(("endpoint", "This is not the address of a push service."))
    try:
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), _exactly(p256dh, _POINT_BYTES))
    except ValueError:
        raise Invalid(("keys.p256dh", "This is not a browser's key.")) from None
    try:
        _exactly(auth, _AUTH_BYTES)
    except ValueError:
        raise Invalid(("keys.auth", "This is not a browser's key.")) from None


def encrypt(
    payload: bytes,
    p256dh: str,
    auth: str,
    *,
    salt: bytes | None = None,
    own: ec.EllipticCurvePrivateKey | None = None,
) -> bytes:
    """Return the body for one browser (`Content-Encoding: aes128gcm`); `salt` and `own` are new unless given.

    Raises:
        ValueError: the payload is longer than 3,993 octets, or a key of the browser is none.
    """
    if len(payload) > PAYLOAD_BYTES:
        raise ValueError("the payload is too long")
    theirs, secret = _exactly(p256dh, _POINT_BYTES), _exactly(auth, _AUTH_BYTES)
    key = own or ec.generate_private_key(ec.SECP256R1())
    salt = salt or os.urandom(_SALT_BYTES)
    ours = _point(key.public_key())
    shared = key.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), theirs))
    seed = _derive(secret, shared, b"WebPush: info\0" + theirs + ours, 32)
    content_key = _derive(salt, seed, b"Content-Encoding: aes128gcm\0", 16)
    nonce = _derive(salt, seed, b"Content-Encoding: nonce\0", 12)
    header = salt + struct.pack("!IB", _RECORD_BYTES, len(ours)) + ours
    return header + AESGCM(content_key).encrypt(nonce, payload + _LAST_RECORD, None)


def b64(octets: bytes) -> str:
    """Return base64url without padding (RFC 7515, appendix C)."""
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    """Read base64url, padded or not.

    Raises:
        ValueError: it is none.
    """
    try:
        bare = text.rstrip("=").translate(_TO_PLAIN).encode("ascii")
        return base64.b64decode(bare + b"=" * (-len(bare) % 4), validate=True)
    except (binascii.Error, UnicodeEncodeError) as error:
        raise ValueError("no base64url") from error


_TO_PLAIN = str.maketrans("-_", "+/")


def _exactly(text: str, length: int) -> bytes:
    octets = unb64(text)
    if len(octets) != length:
        raise ValueError("a key of another length")
    return octets


def _point(key: ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)


def _derive(salt: bytes, seed: bytes, info: bytes, length: int) -> bytes:
    return HKDF(hashes.SHA256(), length, salt, info).derive(seed)


def _json(members: dict[str, object]) -> str:
    return b64(json.dumps(members, separators=(",", ":")).encode())
