"""Fixtures for every test: real PostgreSQL/PostGIS and Mosquitto, started by the product's own code."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser
from sqlalchemy.engine import Engine

from tests.kit.broker import TestBroker
from tests.kit.chromium import browser
from tests.kit.clock import StandingClock
from tests.kit.lending import Lending
from tests.kit.places import RUN_FOLDER, new_folder
from tests.kit.postgres import new_database, shared_cluster, stop_shared_cluster
from tracker.local.ports import free_port
from tracker.local.postgres import Cluster
from tracker.settings import Settings
from tracker.store.session import Database, Session

OWNER_PID = "RYADOM_TEST_PID"


def pytest_configure(config: pytest.Config) -> None:
    """Make the folder of this run; workers inherit it by the environment."""
    if not hasattr(config, "workerinput"):
        run = Path(tempfile.mkdtemp(prefix="ryadom-tests-"))
        run.chmod(0o711)
        os.environ[RUN_FOLDER] = str(run)
        os.environ[OWNER_PID] = str(os.getpid())


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep on one worker the tests that share a running service: it takes many seconds to start.

    First of all hooks: pytest-xdist reads the groups in this hook too.
    """
    for item in items:
        module = item.module.__name__ if isinstance(item, pytest.Function) else ""
        if module.startswith(("tests.e2e.", "tests.local.test_up")):
            item.add_marker(pytest.mark.xdist_group(module.split(".")[1]))


def pytest_unconfigure(config: pytest.Config) -> None:
    """End what this run started and remove its folder."""
    if not hasattr(config, "workerinput") and RUN_FOLDER in os.environ:
        run = Path(os.environ.pop(RUN_FOLDER))
        stop_shared_cluster(run)
        shutil.rmtree(run, ignore_errors=True)


@pytest.fixture(scope="session")
def shared_postgres() -> Cluster:
    """The cluster that all tests of this run share."""
    return shared_cluster(Path(os.environ[RUN_FOLDER]), int(os.environ[OWNER_PID]))


@pytest.fixture(scope="session")
def database_url(shared_postgres: Cluster) -> Iterator[str]:
    """A migrated database for this process' rolled-back tests; nothing may be committed in it."""
    with new_database(shared_postgres) as url:
        yield url


@pytest.fixture(scope="session")
def engine(database_url: str) -> Iterator[Engine]:
    """The engine of `database_url`."""
    store = Database(database_url)
    yield store.engine
    store.close()


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    """A session whose work is rolled back after the test; a rollback within goes to the last savepoint."""
    with engine.connect() as connection, connection.begin() as transaction:
        with Session(connection, expire_on_commit=False, join_transaction_mode="create_savepoint") as opened:
            yield opened
        transaction.rollback()


@pytest.fixture(scope="session")
def lending(shared_postgres: Cluster) -> Iterator[Lending]:
    """The databases that this process lends to tests."""
    lent = Lending(shared_postgres)
    yield lent
    lent.close()


@pytest.fixture
def fresh_database(lending: Lending) -> Iterator[str]:
    """The address of a migrated, empty database of this test alone, for tests that commit."""
    with lending.lend() as url:
        yield url


@pytest.fixture
def database(fresh_database: str) -> Iterator[Database]:
    """The store on `fresh_database`."""
    store = Database(fresh_database)
    yield store
    store.close()


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """A data folder of this test alone that private servers can reach."""
    with new_folder() as folder:
        yield folder


@pytest.fixture
def broker() -> Iterator[TestBroker]:
    """A private Mosquitto of this test alone."""
    with new_folder("broker-") as folder:
        started = TestBroker(folder)
        yield started
        started.close()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The browser of this process' tests; each test opens a context of its own."""
    with browser() as started:
        yield started


@pytest.fixture
def settings_for() -> Callable[..., Settings]:
    """Make settings for a data folder: free ports, nothing read from the environment but what is given."""

    def make(data_dir: Path, **given: object) -> Settings:
        defaults: dict[str, object] = {
            "data_dir": data_dir,
            "http": f"127.0.0.1:{free_port()}",
            "mqtt": f"127.0.0.1:{free_port()}",
            "secret_key": "0123456789abcdef0123456789abcdef",
        }
        return Settings(_env_file=None, **{**defaults, **given})  # type: ignore[arg-type]

    return make


@pytest.fixture
def clock() -> StandingClock:
    """A clock that stands still until told to go on."""
    return StandingClock()
