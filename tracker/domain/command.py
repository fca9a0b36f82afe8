"""A command to a device, in the form in which it is signed and sent (contract, MQTT)."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

SIGNED_FOR = "commands"
"""The purpose of the key that signs commands (`Sealer.sign`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """What one device is to do; after `expires_at` it must not do it any more."""

    command_id: str
    device_id: str
    kind: str
    args: Mapping[str, Any]
    issued_at: datetime
    expires_at: datetime


def canonical(command: Command) -> bytes:
    """Return what is signed: the envelope without `sig`, as JSON with sorted keys and no blanks, in UTF-8."""
    return _json(_members(command))


def envelope(command: Command, sign: Callable[[bytes], str]) -> bytes:
    """Return the message to publish; `sign` gives the Ed25519 signature of bytes, in base64."""
    return _json(_members(command) | {"sig": sign(canonical(command))})


def _members(command: Command) -> dict[str, Any]:
    return {
        "id": command.command_id,
        # So that nobody can hand it to another device.
        "device_id": command.device_id,
        "kind": command.kind,
        "args": dict(command.args),
        "issued_at": _moment(command.issued_at),
        "expires_at": _moment(command.expires_at),
    }


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _json(members: Mapping[str, Any]) -> bytes:
    return json.dumps(members, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
