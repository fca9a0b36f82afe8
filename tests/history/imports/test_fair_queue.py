"""One account's files, however many and however long, do not hold up another's."""

import io
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, text

from tests.history.fixes import READERS, many, written
from tests.kit.waiting import until
from tests.store.family import NOW, House, add_house
from tracker.domain.ids import new_id
from tracker.history import uploads
from tracker.history.uploads import Uploads
from tracker.settings import Settings
from tracker.store import imports
from tracker.store.devices import devices
from tracker.store.imports import Import, ImportState
from tracker.store.session import Database, Session
from tracker.wiring import import_workers, run_parts


def later(seconds: int) -> datetime:
    return NOW + timedelta(seconds=seconds)


def settle(database: Database, phone: str) -> House:
    """Make a household none of whose files waits."""
    with database.begin() as session:
        return add_house(session, phone)


@pytest.fixture
def greedy(database: Database) -> House:
    return settle(database, "+79161234567")


@pytest.fixture
def modest(database: Database) -> House:
    return settle(database, "+79161234568")


def ask(database: Database, house: House, at: datetime) -> str:
    new = Import(
        account_id=house.device.account_id,
        import_id=new_id(),
        device_id=house.device.device_id,
        format="gpx",
        file_name="walk.gpx",
        digest="0" * 64,
        size_bytes=1,
        state=ImportState.QUEUED,
        created_at=at,
        changed_at=at,
    )
    with database.begin() as session:
        imports.add(session, new)
    return new.import_id


def claim(database: Database, holder: str, at: datetime) -> Import | None:
    with database.begin() as session:
        return imports.claim(session, holder, at)


def end(database: Database, claimed: Import, holder: str, at: datetime) -> None:
    with database.begin() as session:
        imports.advance(session, claimed, replace(claimed, state=ImportState.DONE), holder=holder, now=at)


def test_an_account_with_many_files_has_one_read_at_a_time(
    database: Database, greedy: House, modest: House
) -> None:
    first, second = (ask(database, greedy, later(number)) for number in range(2))
    claimed = claim(database, "one", later(10))
    assert claimed
    assert claimed.import_id == first
    assert claim(database, "two", later(10)) is None
    other = ask(database, modest, later(11))
    there = claim(database, "two", later(12))
    assert there
    assert there.import_id == other
    end(database, claimed, "one", later(13))
    next_one = claim(database, "one", later(14))
    assert next_one
    assert next_one.import_id == second


def test_the_account_that_waited_longest_is_next_however_many_files_another_has(
    database: Database, greedy: House, modest: House
) -> None:
    many_files = [ask(database, greedy, later(number)) for number in range(4)]
    only_file = ask(database, modest, later(5))
    order = []
    for second in range(10, 20, 2):
        claimed = claim(database, "one", later(second))
        assert claimed
        order.append(claimed.import_id)
        end(database, claimed, "one", later(second + 1))
    assert order == [many_files[0], only_file, *many_files[1:]]


def test_a_file_withdrawn_before_it_was_read_costs_its_account_no_turn(
    database: Database, greedy: House, modest: House
) -> None:
    kept, withdrawn = ask(database, modest, later(0)), ask(database, modest, later(1))
    ask(database, greedy, later(2))
    with database.begin() as session:
        imports.cancel(session, modest.viewer.account_id, withdrawn, later(3))
    claimed = claim(database, "one", later(4))
    assert claimed
    assert claimed.import_id == kept


def test_an_account_whose_reader_fell_silent_is_read_by_another(database: Database, greedy: House) -> None:
    first = ask(database, greedy, later(0))
    ask(database, greedy, later(1))
    assert claim(database, "one", later(2))
    after_the_lease = NOW + imports.LEASE + timedelta(seconds=3)
    claimed = claim(database, "two", after_the_lease)
    assert claimed
    assert claimed.import_id == first
    assert claim(database, "three", after_the_lease) is None


def test_two_readers_that_claim_at_once_never_get_one_account(database: Database, greedy: House) -> None:
    ask(database, greedy, later(0))
    ask(database, greedy, later(1))
    with ThreadPoolExecutor(1) as pool:
        with database.begin() as session:
            assert imports.claim(session, "one", later(2))
            second = pool.submit(claim, database, "two", later(2))
            until(lambda: second.done() or waits_for_a_lock(session), "the second claim")
        assert second.result() is None


def waits_for_a_lock(session: Session) -> bool:
    return bool(
        session.execute(
            text(
                "SELECT EXISTS (SELECT FROM pg_locks JOIN pg_stat_activity USING (pid)"
                " WHERE NOT granted AND datname = current_database())"
            )
        ).scalar_one()
    )


@pytest.fixture
def kept_in(data_dir: Path) -> Uploads:
    return Uploads(data_dir / "imports", READERS, limit_bytes=10_000_000)


def hand_in(database: Database, kept_in: Uploads, house: House) -> Import:
    kept = kept_in.receive(io.BytesIO(written("csv", many(3))))
    device = house.device
    with database.begin() as session:
        return uploads.ask(
            session, kept, account_id=device.account_id, device_id=device.device_id, file_name="x", now=NOW
        )


@contextmanager
def readers(settings: Settings) -> Iterator[None]:
    """Run the readers of one `tracker work`."""
    stop = threading.Event()
    parts = [each.run for each in import_workers(settings)]
    thread = threading.Thread(target=run_parts, args=(parts, stop))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def test_a_file_that_takes_long_does_not_hold_up_another_account(
    database: Database, fresh_database: str, data_dir: Path, kept_in: Uploads, greedy: House, modest: House
) -> None:
    def state(asked: Import) -> ImportState:
        with database.begin() as session:
            return imports.get(session, asked.account_id, asked.import_id).state

    long_ones = [hand_in(database, kept_in, greedy) for _ in range(2)]
    settings = Settings(_env_file=None, data_dir=data_dir, database_url=fresh_database)
    blocked = select(devices.c.device_id).where(devices.c.device_id == greedy.device.device_id)
    with database.begin() as session:
        # Whoever stores positions locks their device a little: this keeps the first file from its end.
        session.execute(blocked.with_for_update())
        with readers(settings):
            until(lambda: ImportState.READING in map(state, long_ones), "the first file")
            short = hand_in(database, kept_in, modest)
            until(lambda: state(short) is ImportState.DONE, "the other account's file", timeout_s=8)
            assert sorted(map(state, long_ones)) == [ImportState.QUEUED, ImportState.READING]
            session.rollback()
            until(lambda: set(map(state, long_ones)) == {ImportState.DONE}, "the others")
