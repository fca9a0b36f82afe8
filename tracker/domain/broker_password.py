"""The password hash that Mosquitto reads in its password file."""

import base64
import hashlib
import hmac
import secrets

ROUNDS = 101
_SALT_BYTES = 12
_HASH_BYTES = 64


def short_password() -> str:
    """Return a new password of 128 random bits in 26 characters of [a-z2-7].

    A Meshtastic node keeps 31 characters of a password (firmware's `MQTTConfig.password max_size:32`).
    """
    return base64.b32encode(secrets.token_bytes(16)).decode().rstrip("=").lower()


def password_hash(password: str) -> str:
    """Return `$7$101$salt$hash`: PBKDF2-HMAC-SHA512, 12 bytes of salt, base64 (mosquitto_passwd's default).

    101 rounds slow nobody down: it is meant for random passwords of 128 bits and more.
    """
    return _encode(password, secrets.token_bytes(_SALT_BYTES))


def matches(password: str, stored: str) -> bool:
    """Tell whether `stored`, made by `password_hash`, is the hash of `password`."""
    salt = base64.b64decode(stored.split("$")[3])
    return hmac.compare_digest(_encode(password, salt), stored)


def _encode(password: str, salt: bytes) -> str:
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, ROUNDS, _HASH_BYTES)
    return f"$7${ROUNDS}${base64.b64encode(salt).decode()}${base64.b64encode(digest).decode()}"
