"""What a gateway or source says is stored for the devices it names, and for nobody else."""

import base64
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from nacl.secret import SecretBox

from tests.ingest.conftest import add_device
from tests.ingest.writing import BEGIN, NOW, Bench
from tracker.domain.device import Device, DeviceSettings, SpeedUnit
from tracker.domain.gateway import Gateway
from tracker.domain.ids import new_id
from tracker.ingest.arrived import Arrived
from tracker.ingest.intake import Intake
from tracker.ingest.origin import Origin, OriginKind
from tracker.ingest.quarantine import STRANGERS_AN_HOUR
from tracker.ingest.replays import Replayer
from tracker.ingest.topics import of_device
from tracker.store import devices, gateways, quarantine
from tracker.store.seal import Sealer
from tracker.store.session import Database
from tracker.store.unclaimed import UNCLAIMED_PER_ORIGIN


class Site(Bench):
    """A writer, and an account with a gateway of a dialect and one device that it speaks for."""

    def __init__(self, database: Database, sealer: Sealer) -> None:
        super().__init__(database, sealer)
        self.gateways: dict[str, Gateway] = {}

    def gateway(self, dialect: str) -> Gateway:
        gateway = Gateway(
            account_id=self.device.account_id,
            gateway_id=new_id(),
            name="gate",
            dialect=dialect,
            created_at=NOW,
        )
        with self.database.begin() as session:
            gateways.add(session, gateway, mqtt_password_hash="$7$x")
        return gateway

    def call(self, external_id: str | None, device: Device | None = None, **settings: Any) -> None:
        device = device or self.device
        with self.database.begin() as session:
            devices.change(
                session,
                device.account_id,
                device.device_id,
                name="x",
                subject_id=device.subject_id,
                external_id=external_id,
                settings=DeviceSettings(**settings),
            )

    def sent(self, sender_id: str, topic: str, body: object, second: int = 0, **members: Any) -> Arrived:
        payload = body if isinstance(body, bytes) else json.dumps(body).encode()
        received_at = NOW + timedelta(seconds=second)
        return Arrived(1, 1, of_device("gateway", sender_id, topic), payload, received_at, **members)

    def stored(self) -> list[str]:
        return [row[0] for row in self.rows("SELECT to_hex(device_id) FROM positions ORDER BY 1")]

    @property
    def device_hex(self) -> str:
        return f"{int(self.device.device_id, 16):x}"


@pytest.fixture
def site(database: Database, sealer: Sealer) -> Site:
    return Site(database, sealer)


def forwarded(unique_id: str, second: int = 0) -> dict[str, Any]:
    moment = (NOW - timedelta(hours=1) + timedelta(seconds=second)).isoformat()
    position = {"fixTime": moment, "latitude": 55.0, "longitude": 37.0, "speed": 10, "valid": True}
    return {"position": position, "device": {"uniqueId": unique_id}}


def test_a_gateway_s_device_is_found_by_its_name_in_whatever_case(site: Site) -> None:
    site.call("Van-7")
    gateway = site.gateway("traccar_forward")
    site.write(site.sent(gateway.gateway_id, "traccar/positions", forwarded("VAN-7")))
    assert site.stored() == [site.device_hex]
    assert site.one("SELECT speed_mps FROM positions") == pytest.approx(5.14444)


def test_a_gateway_never_reaches_another_account(site: Site, database: Database) -> None:
    with database.begin() as session:
        other = add_device(session)
    site.call("theirs", other)
    gateway = site.gateway("traccar_forward")
    site.write(site.sent(gateway.gateway_id, "traccar/positions", forwarded("theirs")))
    assert site.stored() == []
    assert site.one("SELECT external_id FROM unclaimed") == "theirs"


def test_who_is_not_known_is_listed_counted_and_kept(site: Site) -> None:
    gateway = site.gateway("traccar_forward")
    for second in range(3):
        site.write(site.sent(gateway.gateway_id, "traccar/positions", forwarded("new", second)))
    assert site.one("SELECT messages FROM unclaimed WHERE external_id = 'new'") == 3
    assert site.counted("refused_total", reason="unknown_device") == 3
    assert site.one("SELECT count(*) FROM quarantine WHERE external_id = 'new'") == 3


def replayer(site: Site) -> Replayer:
    return Replayer(site.database, site.sealer, site.preparer, site.writer)


def test_what_was_kept_is_stored_once_its_device_is_adopted(site: Site) -> None:
    gateway = site.gateway("traccar_forward")
    for second in range(3):
        site.write(site.sent(gateway.gateway_id, "traccar/positions", forwarded("new", second)))
    site.call("new")
    with site.database.begin() as session:
        asked = quarantine.ask_replay(session, gateway.account_id, "NEW", NOW)
    assert asked == 3
    assert replayer(site).run(NOW) == 3
    assert len(site.stored()) == 3
    assert site.one("SELECT count(*) FROM quarantine") == 0
    assert replayer(site).run(NOW) == 0


def test_what_is_refused_again_stays_with_its_new_reason(site: Site) -> None:
    site.write(site.arrived(b"nonsense"))
    with site.database.begin() as session:
        quarantine.ask_replay_of(session, site.device.account_id, device_id=site.device.device_id, now=NOW)
    assert replayer(site).run(NOW) == 1
    assert site.rows("SELECT reason, replay_asked_at FROM quarantine") == [("not_json", None)]


def test_a_device_with_a_credential_speaks_for_itself_below_gateway(site: Site) -> None:
    with site.database.begin() as session:
        session.execute(devices.devices.update().values(dialect="teltonika"))
    body = {"state": {"reported": {"ts": (BEGIN + 5) * 1000, "latlng": "55.0,37.0", "sat": 7, "69": 1}}}
    site.write(site.sent(site.device.device_id, "anything/data", body))
    assert site.stored() == [site.device_hex]


def test_a_device_of_one_name_does_not_pass_on_another_one(site: Site) -> None:
    site.call("me")
    with site.database.begin() as session:
        session.execute(devices.devices.update().values(dialect="traccar_forward"))
    site.write(site.sent(site.device.device_id, "x", forwarded("somebody")))
    site.write(site.sent(site.device.device_id, "x", forwarded("ME")))
    assert site.stored() == [site.device_hex]
    assert site.counted("refused_total", reason="identity_mismatch") == 1


def test_a_device_s_speed_unit_is_its_own(site: Site) -> None:
    site.call("kmh", speed_unit=SpeedUnit.KMH)
    gateway = site.gateway("traccar_forward")
    site.write(site.sent(gateway.gateway_id, "x", forwarded("kmh")))
    assert site.one("SELECT speed_mps FROM positions") == pytest.approx(10 / 3.6)


def test_a_revoked_gateway_is_nobody(site: Site) -> None:
    site.call("van")
    gateway = site.gateway("traccar_forward")
    with site.database.begin() as session:
        session.execute(gateways.gateways.update().values(revoked_at=NOW))
    site.write(site.sent(gateway.gateway_id, "x", forwarded("van")))
    assert site.stored() == []
    assert site.one("SELECT reason FROM quarantine") == "unknown_device"


def test_a_source_speaks_by_its_own_topics(site: Site) -> None:
    site.call("jane/phone")
    told: list[int] = []
    origin = Origin(
        kind=OriginKind.SOURCE,
        account_id=site.device.account_id,
        origin_id=new_id(),
        dialect="owntracks",
    )
    body = json.dumps({"_type": "location", "lat": 55, "lon": 37, "tst": BEGIN}).encode()
    arrived = Arrived(0, 0, "owntracks/Jane/phone", body, NOW, origin=origin, done=lambda: told.append(1))
    site.write(arrived)
    assert site.stored() == [site.device_hex]


def test_values_that_come_one_by_one_make_one_position(site: Site) -> None:
    with site.database.begin() as session:
        session.execute(devices.devices.update().values(dialect="ovms", external_id="me/car"))
    for second, (name, value) in enumerate(
        [("gpslock", "yes"), ("latitude", "55.5"), ("longitude", "37.5"), ("speed", "36")]
    ):
        message = site.sent(site.device.device_id, f"ovms/me/car/metric/v/p/{name}", value.encode())
        site.write(replace_time(message, second / 10))
    assert site.stored() == []
    assert site.writer.close_windows(NOW) == 0, "it is not over yet"
    assert site.writer.close_windows(NOW + timedelta(seconds=30)) == 1
    assert site.rows("SELECT ST_Y(geom), ST_X(geom), round(speed_mps) FROM positions") == [(55.5, 37.5, 10)]
    assert site.writer.close_windows(NOW + timedelta(seconds=60)) == 0


def replace_time(message: Arrived, seconds: float) -> Arrived:
    fields = {name: getattr(message, name) for name in message.__struct_fields__}
    return Arrived(**fields | {"received_at": NOW + timedelta(seconds=seconds)})


def test_an_intake_returns_once_it_is_stored_and_says_what_was_refused(site: Site) -> None:
    origin = Origin(
        kind=OriginKind.DEVICE,
        account_id=site.device.account_id,
        origin_id=site.device.device_id,
        dialect="owntracks",
    )
    intake = Intake(site.preparer, site.writer, lambda: NOW)
    body = json.dumps({"_type": "location", "lat": 55, "lon": 37, "tst": BEGIN}).encode()
    assert intake.take(origin, payload=body, received_at=NOW) is None
    assert site.stored() == [site.device_hex]
    refused = intake.take(origin, payload=b"{", received_at=NOW)
    assert refused is not None
    assert refused.value == "not_json"
    revoked = replace(origin, origin_id=new_id())
    assert str(intake.take(revoked, payload=body, received_at=NOW)) == "unknown_device"


def test_a_jump_does_not_move_the_last_position_until_the_next_one_agrees(site: Site) -> None:
    site.write(site.arrived({"time": BEGIN, "lat": 55.0, "lon": 37.0, "accuracy_m": 5}))
    site.write(site.arrived({"time": BEGIN + 10, "lat": 57.0, "lon": 37.0, "accuracy_m": 5}))
    assert site.one("SELECT ST_Y(geom) FROM last_positions") == 55.0
    assert site.one("SELECT count(*) FROM positions") == 2, "marked, not deleted"
    assert site.told[-1][0].held
    site.write(site.arrived({"time": BEGIN + 20, "lat": 57.0001, "lon": 37.0, "accuracy_m": 5}))
    assert site.rows("SELECT ST_Y(geom), held_at FROM last_positions") == [(57.0001, None)]
    assert not site.told[-1][0].held


def test_a_source_s_encrypted_payload_is_opened_with_its_device_s_key(site: Site) -> None:
    site.call("jane/phone")
    sealed = site.sealer.seal(b"secret", context=devices.payload_key_context(site.device.device_id))
    with site.database.begin() as session:
        devices.set_payload_key(session, site.device.account_id, site.device.device_id, sealed)
    origin = Origin(
        kind=OriginKind.SOURCE, account_id=site.device.account_id, origin_id=new_id(), dialect="owntracks"
    )
    plain = json.dumps({"_type": "location", "lat": 55, "lon": 37, "tst": BEGIN}).encode()
    box = SecretBox(b"secret".ljust(32, b"\0")).encrypt(plain)
    body = json.dumps({"_type": "encrypted", "data": base64.b64encode(box).decode()}).encode()
    for topic in ("owntracks/jane/phone", "owntracks/jack/phone"):
        site.write(Arrived(0, 0, topic, body, NOW, origin=origin))
    assert site.stored() == [site.device_hex]
    assert site.counted("refused_total", reason="no_key") == 1


def test_a_gateway_that_invents_names_fills_neither_disk_nor_list(site: Site) -> None:
    gateway = site.gateway("traccar_forward")
    names = STRANGERS_AN_HOUR + 10
    site.write(*(site.sent(gateway.gateway_id, "x", forwarded(f"n{number}")) for number in range(names)))
    assert site.one("SELECT count(*) FROM quarantine") == STRANGERS_AN_HOUR
    assert site.one("SELECT count(*) FROM unclaimed") == UNCLAIMED_PER_ORIGIN
    assert site.counted("refused_total", reason="unknown_device") == names
