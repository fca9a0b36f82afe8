"""Accounts and the family on a rolled-back transaction."""

import pytest

from tests.accounts.door import Door
from tests.kit.clock import StandingClock
from tracker.accounts.family import Family, MqttEndpoint
from tracker.accounts.hashing import CodeHasher
from tracker.accounts.policy import SignInPolicy
from tracker.accounts.service import Accounts
from tracker.domain.access import Viewer
from tracker.store.seal import Sealer
from tracker.store.session import Session

MQTT = MqttEndpoint(host="mqtt.example", port=8883, tls=True)
DIALECTS = ("native", "owntracks", "ovms", "traccar_forward", "tts_v3")


@pytest.fixture(scope="session")
def sealer() -> Sealer:
    return Sealer("a secret of thirty-two characters")


@pytest.fixture(scope="session")
def policy() -> SignInPolicy:
    return SignInPolicy(sender="3339", regions=frozenset({"RU"}), host="ryadom.example")


@pytest.fixture(scope="session")
def accounts(sealer: Sealer, policy: SignInPolicy) -> Accounts:
    return Accounts(sealer, CodeHasher(sealer), policy)


@pytest.fixture
def door(session: Session, accounts: Accounts, sealer: Sealer, clock: StandingClock) -> Door:
    return Door(session, accounts, sealer, clock)


@pytest.fixture
def family(sealer: Sealer) -> Family:
    return Family(sealer, MQTT, DIALECTS)


@pytest.fixture
def viewer(door: Door) -> Viewer:
    return door.viewer()


@pytest.fixture
def stranger(door: Door) -> Viewer:
    return door.viewer("+79169999999")
