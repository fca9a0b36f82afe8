"""What reads handed-in files outlives faults, and leaves nothing behind."""

import io
import os
import threading
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO

import pytest

from tests.history.fixes import READERS, many, written
from tests.history.imports.houses import Home, settle
from tests.store.family import NOW
from tracker.history import uploads
from tracker.history.import_worker import ImportWorker
from tracker.history.importing import BATCH
from tracker.history.imports._record import Format, Record
from tracker.history.uploads import Uploads
from tracker.store import devices
from tracker.store.imports import Import, ImportState
from tracker.store.session import Database


class FaultyCsv:
    """A reader with a fault of its own."""

    name = "csv"
    title = "CSV"

    def matches(self, head: bytes) -> bool:
        return bool(head)

    def read(self, stream: BinaryIO) -> Iterator[Record]:
        yield many(len(stream.read(1)))[0]
        raise ZeroDivisionError


@pytest.fixture
def home(database: Database) -> Home:
    return settle(database)


@pytest.fixture
def kept_in(data_dir: Path) -> Uploads:
    return Uploads(data_dir / "imports", READERS, limit_bytes=10_000_000)


def hand_in(home: Home, kept_in: Uploads, data: bytes) -> Import:
    kept = kept_in.receive(io.BytesIO(data))
    device = home.house.device
    with home.database.begin() as session:
        return uploads.ask(
            session, kept, account_id=device.account_id, device_id=device.device_id, file_name="x", now=NOW
        )


def worker(
    home: Home, kept_in: Uploads, holder: str = "one", formats: Mapping[str, Format] = READERS
) -> ImportWorker:
    return ImportWorker(home.database, kept_in, formats, lambda: NOW, holder=holder)


def test_a_fault_in_one_format_stalls_no_other_file(home: Home, kept_in: Uploads) -> None:
    bad = hand_in(home, kept_in, written("csv", many(2)))
    good = hand_in(home, kept_in, written("gpx", many(3)))
    reader = worker(home, kept_in, formats={**READERS, "csv": FaultyCsv()})
    while reader.step(threading.Event()):
        pass
    assert (home.row(bad).state, home.row(bad).detail["ending"]) == (ImportState.FAILED, "fault")
    assert (home.row(good).state, home.row(good).positions_new) == (ImportState.DONE, 3)
    assert not kept_in.path(bad.import_id).exists()
    assert not kept_in.path(good.import_id).exists()


def test_a_worker_told_to_stop_hands_over_at_once(home: Home, kept_in: Uploads) -> None:
    asked = hand_in(home, kept_in, written("csv", many(2 * BATCH)))
    stop = threading.Event()
    stop.set()
    worker(home, kept_in).step(stop)
    assert home.row(asked).records == BATCH
    assert kept_in.path(asked.import_id).exists()
    assert worker(home, kept_in, holder="two").step(threading.Event())
    assert (home.row(asked).state, home.row(asked).positions_new) == (ImportState.DONE, 2 * BATCH)


def test_the_file_of_a_removed_device_is_deleted(home: Home, kept_in: Uploads) -> None:
    asked = hand_in(home, kept_in, written("csv", many(2)))
    with home.database.begin() as session:
        devices.remove(session, asked.account_id, asked.device_id)
    os.utime(kept_in.path(asked.import_id), (NOW.timestamp() - 4000,) * 2)
    assert not worker(home, kept_in).step(threading.Event())
    assert not kept_in.path(asked.import_id).exists()


def test_a_file_that_still_comes_is_not_swept_away(kept_in: Uploads) -> None:
    kept = kept_in.receive(io.BytesIO(written("csv", many(2))))
    path = kept_in.path(kept.import_id)
    assert path.stat().st_mode & 0o777 == 0o600
    os.utime(path, (NOW.timestamp(),) * 2)
    assert kept_in.sweep(set(), NOW) == 0
    assert kept_in.sweep({kept.import_id}, NOW + timedelta(days=1)) == 0
    assert kept_in.sweep(set(), NOW + timedelta(days=1)) == 1
    assert not path.exists()
