"""The credentials file: what a simulated device needs to sign in to the broker, and what it plays."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

Dialect = Literal["native", "owntracks"]


class CredentialsUnreadable(ValueError):
    """The file is not there, is no JSON or lacks a member; the text says which."""


@dataclass(frozen=True, slots=True)
class Broker:
    """Where the broker listens; with `tls` the machine's own certificate authorities are trusted."""

    host: str
    port: int
    tls: bool = False


@dataclass(frozen=True, slots=True)
class DeviceCredentials:
    """One device: its broker account and what it plays. `encoding` concerns native devices only."""

    device_id: str
    password: str = field(repr=False)
    name: str = ""
    role: str = ""
    track: str = ""
    dialect: Dialect = "native"
    encoding: Literal["json", "cbor"] = "json"

    @property
    def shard(self) -> str:
        """The `{s}` of the device's topics: the first character of its id."""
        return self.device_id[0]


@dataclass(frozen=True, slots=True)
class Credentials:
    """A broker and the devices that sign in to it."""

    broker: Broker
    devices: tuple[DeviceCredentials, ...]


def read_credentials(path: Path) -> Credentials:
    """Read a credentials file.

    Raises: CredentialsUnreadable.
    """
    try:
        return parse_credentials(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, json.JSONDecodeError) as error:
        raise CredentialsUnreadable(f"{path}: {error}") from error


def parse_credentials(document: Any) -> Credentials:
    """Check the shape `{"host", "port", "tls"?, "devices": [{"device_id", "password", …}]}` and freeze it.

    Raises: CredentialsUnreadable naming the member that is missing or wrong; never with a password in it.
    """
    if not isinstance(document, dict):
        raise CredentialsUnreadable("not a JSON object")
    host, port, devices = document.get("host"), document.get("port"), document.get("devices")
    if not isinstance(host, str) or not host:
        raise CredentialsUnreadable("host: a name or address is wanted")
    if not isinstance(port, int) or isinstance(port, bool) or not 0 < port < 65536:
        raise CredentialsUnreadable("port: 1 to 65535 is wanted")
    if not isinstance(devices, list) or not devices:
        raise CredentialsUnreadable("devices: a list of at least one is wanted")
    return Credentials(
        broker=Broker(host=host, port=port, tls=document.get("tls") is True),
        devices=tuple(_device(number, entry) for number, entry in enumerate(devices)),
    )


def _device(number: int, entry: Any) -> DeviceCredentials:
    if not isinstance(entry, dict):
        raise CredentialsUnreadable(f"devices[{number}]: not a JSON object")

    def text(name: str, otherwise: str | None = None) -> str:
        value = entry.get(name, otherwise)
        if not isinstance(value, str) or (otherwise is None and not value):
            raise CredentialsUnreadable(f"devices[{number}].{name}: a text is wanted")
        return value

    dialect, encoding = text("dialect", "native"), text("encoding", "json")
    if dialect not in ("native", "owntracks"):
        raise CredentialsUnreadable(f"devices[{number}].dialect: native or owntracks is wanted")
    if encoding not in ("json", "cbor"):
        raise CredentialsUnreadable(f"devices[{number}].encoding: json or cbor is wanted")
    return DeviceCredentials(
        device_id=text("device_id"),
        password=text("password"),
        name=text("name", ""),
        role=text("role", ""),
        track=text("track", ""),
        dialect="native" if dialect == "native" else "owntracks",
        encoding="json" if encoding == "json" else "cbor",
    )
