"""Devices of a test: credentials on its broker, and positions to record."""

import secrets
from datetime import UTC, datetime, timedelta
from typing import Literal

from devices.simulator.credentials import Broker, Credentials, DeviceCredentials
from devices.simulator.tracker_device import Position
from tests.kit.broker import TestBroker

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def device_on(
    broker: TestBroker,
    *,
    dialect: Literal["native", "owntracks"] = "native",
    encoding: Literal["json", "cbor"] = "json",
    track: str = "",
    name: str = "",
) -> DeviceCredentials:
    """A new device that may sign in to the broker."""
    device_id = secrets.token_hex(8)
    password = broker.add(device_id)
    return DeviceCredentials(
        device_id=device_id, password=password, name=name, track=track, dialect=dialect, encoding=encoding
    )


def address_of(broker: TestBroker) -> Broker:
    """Where the test's broker listens."""
    return Broker(host="127.0.0.1", port=broker.port)


def credentials_on(broker: TestBroker, *devices: DeviceCredentials) -> Credentials:
    """What a credentials file of these devices says."""
    return Credentials(broker=address_of(broker), devices=devices)


def positions(count: int) -> list[Position]:
    """Positions a second apart."""
    return [
        Position(time=START + timedelta(seconds=number), lat=60.17, lon=24.94 + number / 100_000)
        for number in range(count)
    ]
