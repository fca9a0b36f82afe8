"""`tracker import` and `tracker export` as commands of their own process."""

import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.history.fixes import many, read, written
from tests.kit.service import environment
from tests.store.family import House, add_house
from tracker.store.session import Database

Run = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def house(database: Database) -> House:
    with database.begin() as session:
        return add_house(session, "+79161234567")


@pytest.fixture
def tracker(fresh_database: str, data_dir: Path) -> Run:
    """Start a command beside a database."""
    settings = environment(
        data_dir, TRACKER_DATABASE_URL=fresh_database, TRACKER_BROKER_URL="mqtt://127.0.0.1:1"
    )

    def run(*arguments: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-m", "tracker", *arguments],
            env={**settings, "PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    return run


def test_a_killed_import_goes_on_and_what_went_in_comes_out(
    tracker: Run, house: House, data_dir: Path
) -> None:
    track = many(10_000)
    path = data_dir / "track.csv"
    path.write_bytes(written("csv", track))
    command = ("import", str(path), "--device", house.device.device_id)

    first = tracker(*command)
    assert first.stderr is not None
    told = first.stderr.readline()
    first.send_signal(signal.SIGKILL)
    first.communicate()
    assert re.search(rb"2000 positions, 1999 new", told)

    out, err = tracker(*command).communicate(timeout=120)
    assert re.match(rb"goes on behind \d+ records", err), err
    assert re.match(rb"10000 positions, 10000 of them new, 0 refused", out), out

    out, _ = tracker(*command).communicate(timeout=120)
    assert re.match(rb"10000 positions, 0 of them new, 0 refused", out), out

    exported = tracker("export", "--subject", house.subject.subject_id, "--format", "kml")
    out, err = exported.communicate(timeout=120)
    assert exported.returncode == 0, err
    assert read(out) == (track, [], None)


def test_what_cannot_be_read_is_said_in_one_line(tracker: Run, house: House, data_dir: Path) -> None:
    path = data_dir / "letter.txt"
    path.write_text("Dear Sir,")
    for command, said in (
        (("import", str(path), "--device", house.device.device_id), b"unknown_format"),
        (("import", str(path), "--device", "0" * 16), b"unknown_format"),
        (("export", "--device", "0" * 16), b"there is no such device"),
    ):
        refused = tracker(*command)
        _, err = refused.communicate(timeout=60)
        assert refused.returncode == 1
        assert said in err
        assert len(err.splitlines()) == 1
