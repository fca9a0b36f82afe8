"""Devices of a family."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from tests.accounts.door import Door
from tracker.accounts.family import Family
from tracker.domain.access import Viewer
from tracker.domain.broker_password import matches
from tracker.domain.device import Device, DeviceSettings, MqttAccess, SpeedUnit
from tracker.domain.errors import Invalid, NotFound
from tracker.domain.geo import LatLon
from tracker.domain.position import Placed, Position
from tracker.domain.subject import Subject, SubjectKind
from tracker.store import devices, positions
from tracker.store.access import Access
from tracker.store.seal import Sealer


class Shed:
    """Adds devices with little typing."""

    def __init__(self, door: Door, family: Family, viewer: Viewer) -> None:
        self.door, self.family, self.viewer = door, family, viewer
        self.cat = self.subject("cat")

    def subject(self, name: str) -> Subject:
        return self.family.add_subject(
            self.door.session, self.viewer, kind=SubjectKind.PET, name=name, now=self.door.clock()
        )

    def add(self, viewer: Viewer | None = None, **given: Any) -> tuple[Device, MqttAccess]:
        defaults: dict[str, Any] = {
            "subject_id": self.cat.subject_id,
            "name": "collar",
            "dialect": "native",
            "external_id": None,
            "payload_key": None,
            "now": self.door.clock(),
        }
        return self.family.add_device(self.door.session, viewer or self.viewer, **{**defaults, **given})

    def change(self, device: Device, viewer: Viewer | None = None, **given: Any) -> Device:
        defaults: dict[str, Any] = {
            "name": device.name,
            "subject_id": device.subject_id,
            "external_id": device.external_id,
            "now": self.door.clock(),
        }
        return self.family.change_device(
            self.door.session, viewer or self.viewer, device.device_id, **{**defaults, **given}
        )


@pytest.fixture
def shed(door: Door, family: Family, viewer: Viewer) -> Shed:
    return Shed(door, family, viewer)


def test_a_new_device_gets_what_it_needs_to_publish(shed: Shed) -> None:
    device, mqtt = shed.add()
    assert (mqtt.host, mqtt.port, mqtt.tls) == ("mqtt.example", 8883, True)
    assert mqtt.username == mqtt.client_id == device.device_id
    assert len(bytes.fromhex(mqtt.password)) == 16
    assert mqtt.topics == tuple(
        f"tracker/{device.device_id[0]}/{device.device_id}/{rest}"
        for rest in ("position", "position/cbor", "status", "command", "ack", "result")
    )


def test_an_owntracks_device_publishes_to_its_own_topic(shed: Shed) -> None:
    device, mqtt = shed.add(dialect="owntracks")
    assert mqtt.topics == (f"owntracks/{device.device_id[0]}/{device.device_id}",)


def test_the_password_is_stored_as_the_broker_s_hash_only(shed: Shed) -> None:
    device, mqtt = shed.add()
    ((device_id, stored),) = devices.broker_credentials(shed.door.session)
    assert device_id == device.device_id
    assert matches(mqtt.password, stored)
    rows = shed.door.session.execute(text("SELECT d::text FROM devices AS d")).scalars().all()
    assert not any(mqtt.password in row for row in rows)


def test_the_key_of_encrypted_payloads_is_sealed(shed: Shed, sealer: Sealer) -> None:
    device, _ = shed.add(dialect="owntracks", payload_key="s3cret ключ")
    owned = devices.owned(shed.door.session, [device.device_id])[device.device_id]
    assert owned.payload_key_sealed is not None
    assert b"s3cret" not in owned.payload_key_sealed
    context = devices.payload_key_context(device.device_id)
    assert sealer.open(owned.payload_key_sealed, context=context).decode() == "s3cret ключ"


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"name": ""}, "name"),
        ({"dialect": "morse"}, "dialect"),
        ({"external_id": "x" * 129}, "external_id"),
        ({"external_id": "a\nb"}, "external_id"),
        ({"payload_key": "ё" * 17}, "payload_key"),
    ],
)
def test_a_wrong_field_is_named(shed: Shed, given: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        shed.add(**given)
    assert refused.value.errors[0][0] == field


def test_an_external_id_is_one_device_s_of_the_account(shed: Shed, stranger: Viewer) -> None:
    first, _ = shed.add(external_id="862095050000000")
    second, _ = shed.add()
    with pytest.raises(Invalid, match="external_id"):
        shed.add(external_id="862095050000000")
    with pytest.raises(Invalid, match="external_id"):
        shed.change(second, external_id="862095050000000")
    assert shed.change(first, name="new").external_id == "862095050000000"
    other = Shed(shed.door, shed.family, stranger)
    assert other.add(external_id="862095050000000")


def test_an_external_id_is_the_same_in_any_case(shed: Shed) -> None:
    first, _ = shed.add(external_id="A84041FFFF1E")
    with pytest.raises(Invalid, match="external_id"):
        shed.add(external_id="a84041ffff1e")
    assert shed.change(first, external_id="a84041ffff1e").external_id == "a84041ffff1e"


def test_a_device_of_another_dialect_publishes_below_the_topic_of_gateways(shed: Shed) -> None:
    device, mqtt = shed.add(dialect="ovms")
    assert mqtt.topics == (f"gateway/{device.device_id[0]}/{device.device_id}/#",)


def test_settings_stay_until_they_are_changed(shed: Shed) -> None:
    knots = DeviceSettings(speed_unit=SpeedUnit.KNOTS)
    device, _ = shed.add(settings=knots)
    assert device.settings == knots
    assert shed.change(device, name="new").settings == knots
    codec = DeviceSettings(codec="lgt92")
    assert shed.change(device, settings=codec).settings == codec
    assert shed.change(device, settings=DeviceSettings()).settings == DeviceSettings()


def test_p06_another_family_s_subject_takes_no_device(shed: Shed, stranger: Viewer) -> None:
    with pytest.raises(NotFound):
        shed.add(viewer=stranger)


def test_p06_another_family_s_device_does_not_exist(shed: Shed, stranger: Viewer) -> None:
    device, _ = shed.add()
    session, now = shed.door.session, shed.door.clock()
    with pytest.raises(NotFound):
        shed.change(device, viewer=stranger)
    with pytest.raises(NotFound):
        shed.family.rotate(session, stranger, device.device_id, now=now)
    with pytest.raises(NotFound):
        shed.family.remove_device(session, stranger, device.device_id, now=now)
    theirs = Shed(shed.door, shed.family, stranger).cat
    with pytest.raises(NotFound):
        shed.change(device, subject_id=theirs.subject_id)
    assert Access(session, shed.viewer).device(device.device_id) == device


def test_a_new_password_replaces_the_old_one_and_waits_for_the_broker(shed: Shed) -> None:
    device, old = shed.add()
    session, now = shed.door.session, shed.door.clock()
    devices.mark_provisioned(session, devices.broker_credentials(session), now)
    assert Access(session, shed.viewer).device(device.device_id).provisioned_at == now
    new = shed.family.rotate(session, shed.viewer, device.device_id, now=now)
    ((_, stored),) = devices.broker_credentials(session)
    assert matches(new.password, stored)
    assert not matches(old.password, stored)
    assert (new.username, new.topics) == (old.username, old.topics)
    assert Access(session, shed.viewer).device(device.device_id).provisioned_at is None


def test_a_device_takes_its_last_position_to_its_new_subject(shed: Shed) -> None:
    device, _ = shed.add()
    session, now = shed.door.session, shed.door.clock()
    positions.ensure_partitions(session, {positions.week_of(now)})
    fix = Position(recorded_at=now - timedelta(minutes=1), at=LatLon(lat=60.1, lon=24.9))
    placed = Placed(
        account_id=shed.viewer.account_id,
        subject_id=device.subject_id,
        device_id=device.device_id,
        received_at=now,
        position=fix,
    )
    positions.append(session, [placed])
    dog = shed.subject("dog")
    shed.change(device, subject_id=dog.subject_id)
    (last,) = Access(session, shed.viewer).last_positions()
    assert (last.subject_id, last.position) == (dog.subject_id, fix)


def test_a_removed_device_is_gone_for_the_broker_too(shed: Shed) -> None:
    device, _ = shed.add()
    session = shed.door.session
    shed.family.remove_device(session, shed.viewer, device.device_id, now=shed.door.clock())
    assert devices.broker_credentials(session) == []
    assert devices.owned(session, [device.device_id]) == {}
    with pytest.raises(NotFound):
        Access(session, shed.viewer).device(device.device_id)
