"""A batch that is stored while its device is removed leaves nothing behind."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import text

from tests.kit.waiting import until
from tests.store.family import NOW, House, add_house, append
from tracker.domain.position import Placed
from tracker.store import devices, positions
from tracker.store.session import Database, Session

LATER = NOW + timedelta(seconds=1)


@pytest.fixture(params=["its first position", "a newer position", "late data"])
def fix(request: pytest.FixtureRequest, database: Database, collar: House) -> Placed:
    """What is stored while the collar is removed."""
    if request.param != "its first position":
        with database.begin() as session:
            append(session, collar.fix(NOW))
    return collar.fix(NOW - timedelta(days=2) if request.param == "late data" else LATER)


@pytest.fixture
def collar(database: Database) -> House:
    with database.begin() as session:
        house = add_house(session, "+79161234567")
        positions.ensure_partitions(session, {positions.week_of(NOW), positions.week_of(NOW) - timedelta(7)})
        return house


@pytest.fixture
def thread() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as pool:
        yield pool


def test_a_removal_waits_for_the_batch_and_removes_it_too(
    database: Database, collar: House, fix: Placed, thread: ThreadPoolExecutor
) -> None:
    with database.begin() as session:
        assert positions.append(session, [fix]) == [fix]
        removing = thread.submit(remove, database, collar)
        until(lambda: waits(database), "the removal to wait for the batch")
    removing.result(timeout=20)
    assert left(database) == (0, 0)


def test_a_batch_waits_for_the_removal_and_stores_nothing(
    database: Database, collar: House, fix: Placed, thread: ThreadPoolExecutor
) -> None:
    with database.begin() as session:
        remove_in(session, collar)
        storing: Future[list[Placed]] = thread.submit(store, database, fix)
        until(lambda: waits(database), "the batch to wait for the removal")
    assert storing.result(timeout=20) == []
    assert left(database) == (0, 0)


def store(database: Database, fix: Placed) -> list[Placed]:
    with database.begin() as session:
        return positions.append(session, [fix])


def remove(database: Database, collar: House) -> None:
    with database.begin() as session:
        remove_in(session, collar)


def remove_in(session: Session, collar: House) -> None:
    devices.remove(session, collar.viewer.account_id, collar.device.device_id)
    positions.remove_of_device(session, collar.viewer.account_id, collar.device.device_id)


def waits(database: Database) -> bool:
    with database.begin() as session:
        return bool(
            session.execute(
                text(
                    "SELECT count(*) FROM pg_stat_activity"
                    " WHERE wait_event_type = 'Lock' AND datname = current_database()"
                )
            ).scalar_one()
        )


def left(database: Database) -> tuple[int, ...]:
    with database.begin() as session:
        counts = "SELECT (SELECT count(*) FROM positions), (SELECT count(*) FROM last_positions)"
        return tuple(session.execute(text(counts)).one())
