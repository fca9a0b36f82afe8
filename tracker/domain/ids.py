"""Identities: 64 random bits, written as 16 lower-case hexadecimal characters (docs/adr/0002)."""

import re
import secrets

_ID = re.compile(r"[0-9a-f]{16}")


def new_id() -> str:
    """Return a fresh identity of 16 characters of [0-9a-f]; it names a thing and is no secret."""
    return secrets.token_hex(8)


def is_id(text: str) -> bool:
    """Tell whether `text` has the form of an identity."""
    return _ID.fullmatch(text) is not None


def shard_of(device_id: str) -> str:
    """Return the topic shard of a device or gateway: the first character of its id."""
    return device_id[0]
