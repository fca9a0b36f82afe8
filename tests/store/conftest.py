"""Two houses that must know nothing of each other."""

import pytest

from tests.store.family import House, add_house
from tracker.store.seal import Sealer
from tracker.store.session import Session


@pytest.fixture
def house(session: Session) -> House:
    return add_house(session, "+79161234567")


@pytest.fixture
def neighbour(session: Session) -> House:
    return add_house(session, "+79169999999")


@pytest.fixture(scope="session")
def sealer() -> Sealer:
    return Sealer("a secret of thirty-two characters")
