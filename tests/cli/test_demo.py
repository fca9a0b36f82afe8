"""`tracker demo prepare`: the sample family is made once and its devices can be played."""

import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from devices.simulator.catalogue import TRACKS
from devices.simulator.credentials import Credentials, read_credentials
from tracker.cli.demo import CREDENTIALS_FILE, DEMO_PHONE, FAMILY
from tracker.domain.broker_password import matches, password_hash
from tracker.store import accounts, devices
from tracker.store.session import Database

PrepareDemo = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def prepare(fresh_database: str, data_dir: Path) -> PrepareDemo:
    """Run the command on a database and data folder of the test alone."""
    environment = {
        **os.environ,
        "TRACKER_DATA_DIR": str(data_dir),
        "TRACKER_DATABASE_URL": fresh_database,
        "TRACKER_BROKER_URL": "mqtt://127.0.0.1:18830",
    }
    command = [sys.executable, "-m", "tracker", "demo", "prepare"]

    def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
        done = subprocess.run(
            [*command, *arguments], env=environment, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stderr
        return done

    return run


def written(data_dir: Path) -> Credentials:
    return read_credentials(data_dir / CREDENTIALS_FILE)


def stored_hashes(database: Database) -> dict[str, str]:
    with database.begin() as session:
        return dict(devices.broker_credentials(session))


def test_every_member_plays_a_track_of_the_catalogue() -> None:
    assert {member.track for member in FAMILY} == set(TRACKS)
    assert len(FAMILY) >= 6


def test_file_is_readable_by_its_owner_only(prepare: PrepareDemo, data_dir: Path) -> None:
    prepare()
    assert stat.S_IMODE((data_dir / CREDENTIALS_FILE).stat().st_mode) == 0o600


def test_credentials_of_the_file_are_those_of_the_database(
    prepare: PrepareDemo, data_dir: Path, database: Database
) -> None:
    done = prepare()
    found = written(data_dir)
    assert (found.broker.host, found.broker.port) == ("127.0.0.1", 18830)
    hashes = stored_hashes(database)
    assert set(hashes) == {each.device_id for each in found.devices}
    for each in found.devices:
        assert matches(each.password, hashes[each.device_id])
        assert each.password not in done.stdout + done.stderr


def test_second_run_changes_nothing(prepare: PrepareDemo, data_dir: Path, database: Database) -> None:
    prepare()
    first, hashes = written(data_dir), stored_hashes(database)
    prepare()
    assert written(data_dir) == first
    assert stored_hashes(database) == hashes


def test_lost_file_gives_the_same_devices_new_passwords(
    prepare: PrepareDemo, data_dir: Path, database: Database
) -> None:
    prepare()
    first = written(data_dir)
    (data_dir / CREDENTIALS_FILE).unlink()
    prepare()
    second = written(data_dir)
    assert [each.device_id for each in second.devices] == [each.device_id for each in first.devices]
    hashes = stored_hashes(database)
    assert all(matches(each.password, hashes[each.device_id]) for each in second.devices)


def test_account_must_still_be_opened_by_a_code(prepare: PrepareDemo, database: Database) -> None:
    prepare()
    with database.begin() as session:
        account = accounts.by_phone(session, DEMO_PHONE)
    assert account is not None
    assert not account.has_own_code
    assert account.terms_accepted_at is None


def test_password_changed_meanwhile_is_replaced(
    prepare: PrepareDemo, data_dir: Path, database: Database
) -> None:
    prepare()
    first = written(data_dir).devices[0]
    with database.begin() as session:
        account = accounts.by_phone(session, DEMO_PHONE)
        assert account is not None
        devices.set_password_hash(session, account.account_id, first.device_id, password_hash("another"))
    prepare()
    again = written(data_dir).devices[0]
    assert again.device_id == first.device_id
    assert matches(again.password, stored_hashes(database)[again.device_id])
