"""Fixtures for tests of the web: the application on a real database of its own, and callers of every kind."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.kit.clock import StandingClock
from tests.kit.places import new_folder
from tests.kit.postgres import new_database
from tests.web.callers import Caller, Household, any_phone, household
from tests.web.serving import WebServer
from tracker.local.postgres import Cluster
from tracker.settings import Settings
from tracker.web.app import Application, create_app
from tracker.web.context import Services
from tracker.wiring import build


@pytest.fixture(scope="session")
def committed_database(shared_postgres: Cluster) -> Iterator[str]:
    """A database that the web's tests commit to; each works with accounts of its own and sees no other's."""
    with new_database(shared_postgres) as url:
        yield url


@pytest.fixture(scope="session")
def server(committed_database: str) -> Iterator[WebServer]:
    """A running web server for the pages of this process' tests."""
    with new_folder("web-") as folder:
        running = WebServer(folder, committed_database)
        yield running
        running.close()


@pytest.fixture
def services(
    committed_database: str, data_dir: Path, settings_for: Callable[..., Settings], clock: StandingClock
) -> Iterator[Services]:
    """The services of one process."""
    built = build(settings_for(data_dir, database_url=committed_database), clock=clock)
    yield built
    built.database.close()


@pytest.fixture
def app(services: Services) -> Application:
    """The application; it does not wait for a broker that no test of it runs."""
    return create_app(services, provisioning_wait_s=0)


@pytest.fixture
def home(app: Application, services: Services) -> Household:
    """A family that has signed in by every kind of session."""
    return household(app, services, any_phone())


@pytest.fixture
def neighbours(app: Application, services: Services) -> Household:
    """Another family, who may see nothing of the first."""
    return household(app, services, any_phone())


@pytest.fixture
def owner(home: Household) -> Caller:
    """The family's owner with a bearer session."""
    return home.bearer


@pytest.fixture
def stranger(app: Application) -> Caller:
    """Somebody who has not signed in."""
    return Caller(app)
