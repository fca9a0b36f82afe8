"""What is remembered of devices is never older than what their owners changed."""

import pytest
from sqlalchemy import text

from tests.ingest.conftest import add_device
from tests.ingest.writing import NOW
from tracker.domain.device import Device, DeviceSettings, SpeedUnit
from tracker.domain.gateway import Gateway
from tracker.domain.ids import new_id
from tracker.domain.plausibility import Fix
from tracker.ingest.directory import KEEP_S, Directory
from tracker.store import devices, gateways
from tracker.store.devices import Owned
from tracker.store.session import Database, Session


@pytest.fixture
def device(database: Database) -> Device:
    with database.begin() as session:
        return add_device(session)


def look(database: Database, directory: Directory, device: Device, now_s: float = 0.0) -> Owned | None:
    with database.begin() as session:
        return directory.owned(session, [device.device_id], now_s).get(device.device_id)


def change(session: Session, device: Device, **settings: SpeedUnit) -> None:
    devices.change(
        session,
        device.account_id,
        device.device_id,
        name="x",
        subject_id=device.subject_id,
        external_id="new",
        settings=DeviceSettings(**settings),
    )


def test_a_device_is_asked_for_once_a_minute(database: Database, device: Device) -> None:
    directory = Directory()
    first = look(database, directory, device)
    assert look(database, directory, device, KEEP_S - 1) is first
    again = look(database, directory, device, KEEP_S + 1)
    assert again == first
    assert again is not first


def test_every_change_of_an_owner_is_seen_by_the_next_batch(database: Database, device: Device) -> None:
    directory = Directory()
    look(database, directory, device)
    with database.begin() as session:
        change(session, device, speed_unit=SpeedUnit.KMH)
    found = look(database, directory, device)
    assert found is not None
    assert (found.external_id, found.settings.speed_unit) == ("new", SpeedUnit.KMH)
    with database.begin() as session:
        devices.set_payload_key(session, device.account_id, device.device_id, b"sealed")
    found = look(database, directory, device)
    assert found is not None
    assert found.payload_key_sealed == b"sealed"
    with database.begin() as session:
        session.execute(devices.devices.update().values(revoked_at=NOW))
    assert look(database, directory, device) is None
    with database.begin() as session:
        session.execute(devices.devices.update().values(revoked_at=None))
    assert look(database, directory, device) is not None
    with database.begin() as session:
        devices.remove(session, device.account_id, device.device_id)
    assert look(database, directory, device) is None


def version(database: Database) -> int:
    with database.begin() as session:
        return devices.version(session)


def test_a_change_that_is_undone_is_none(database: Database, device: Device) -> None:
    before = version(database)
    with database.begin() as session:
        change(session, device)
        session.rollback()
    assert version(database) == before


def test_many_devices_together_are_one_change(database: Database) -> None:
    before = version(database)
    with database.begin() as session:
        for _ in range(5):
            add_device(session)
    assert version(database) == before + 1


def test_a_gateway_s_coming_and_going_are_changes(database: Database, device: Device) -> None:
    before = version(database)
    gateway = Gateway(
        account_id=device.account_id, gateway_id=new_id(), name="g", dialect="nmea", created_at=NOW
    )
    with database.begin() as session:
        gateways.add(session, gateway, mqtt_password_hash="$7$x")
    with database.begin() as session:
        gateways.remove(session, gateway.account_id, gateway.gateway_id)
    assert version(database) == before + 2


def test_what_ingest_changes_itself_is_no_change(database: Database, device: Device) -> None:
    before = version(database)
    with database.begin() as session:
        devices.set_online(session, device.account_id, device.device_id, True)
        session.execute(text("UPDATE devices SET provisioned_at = now(), mqtt_password_hash = 'y'"))
    assert version(database) == before


def test_what_a_batch_made_is_remembered_until_it_is_read_anew(database: Database, device: Device) -> None:
    directory = Directory()
    look(database, directory, device)
    fixes = (Fix(1.0, 55, 37, None), None)
    directory.learn({device.device_id: fixes}, {device.device_id: False})
    found = look(database, directory, device)
    assert found is not None
    assert found.online is False
    assert directory.fixes == {device.device_id: fixes}
    look(database, directory, device, KEEP_S + 1)
    assert directory.fixes == {}
    directory.learn({device.device_id: fixes}, {})
    directory.forget()
    assert directory.fixes == {}
