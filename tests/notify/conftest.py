"""What notify's tests share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kit.clock import StandingClock
from tests.notify.gateway import Gateway, gateway
from tests.notify.house import House
from tests.notify.moments import NOW
from tracker import registry
from tracker.notify.channels._channel import Channel
from tracker.notify.channels.sms import SmsChannel
from tracker.store.seal import Sealer
from tracker.store.session import Database

__all__ = ["NOW"]


@pytest.fixture
def sms_gateway() -> Iterator[Gateway]:
    with gateway() as here:
        yield here


@pytest.fixture(scope="session")
def sealer() -> Sealer:
    return Sealer("a secret of thirty-two characters")


@pytest.fixture
def channels(sms_gateway: Gateway, tmp_path: Path) -> dict[str, Channel]:
    transports = registry.load("tracker.notify.transports", "TRANSPORT")
    return {"sms": SmsChannel(transports, url=sms_gateway.url, sender="3339", outbox_dir=tmp_path)}


@pytest.fixture
def house(database: Database, sealer: Sealer, clock: StandingClock) -> House:
    return House(database, sealer, clock)
