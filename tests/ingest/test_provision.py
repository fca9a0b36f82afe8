"""The broker's files follow the database."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from tests.ingest.conftest import add_device
from tests.ingest.device import WireDevice
from tests.kit.broker import TestBroker
from tests.kit.waiting import until
from tracker.domain.broker_password import password_hash
from tracker.domain.clock import utc_now
from tracker.domain.device import Device
from tracker.domain.gateway import Gateway
from tracker.domain.ids import new_id
from tracker.ingest.client import BrokerAddress, accepts
from tracker.ingest.provision import NOTIFIER, Provisioner, access_file, replace_file, signal_broker
from tracker.ingest.topics import of_device
from tracker.store import devices, gateways
from tracker.store.session import Database

SERVICES = [("svc-ingest-0", password_hash("ingest's own")), ("svc-monitor", password_hash("monitor's own"))]


def address(broker: TestBroker, user: str, password: str) -> BrokerAddress:
    return BrokerAddress(host="127.0.0.1", port=broker.port, tls=False, username=user, password=password)


@pytest.fixture
def provisioner(database: Database, broker: TestBroker) -> Provisioner:
    folder = broker.folder / "mosquitto"
    return Provisioner(database, folder, SERVICES, utc_now, broker=address(broker, "", ""))


@contextmanager
def running(provisioner: Provisioner) -> Iterator[None]:
    stop = threading.Event()
    thread = threading.Thread(target=provisioner.run, args=(stop,))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(10)
    assert not thread.is_alive(), "the provisioner did not stop"


def add(database: Database, password: str) -> Device:
    with database.begin() as session:
        device = add_device(session)
        devices.set_password_hash(session, device.account_id, device.device_id, password_hash(password))
    return device


def provisioned(database: Database, device: Device) -> bool:
    with database.begin() as session:
        return devices.get(session, device.account_id, device.device_id).provisioned_at is not None


def test_a_new_device_may_sign_in_when_it_counts_as_provisioned(
    database: Database, broker: TestBroker, provisioner: Provisioner
) -> None:
    device = add(database, "right")
    assert not accepts(address(broker, device.device_id, "right"))
    assert provisioner.sync()
    assert provisioned(database, device)
    assert accepts(address(broker, device.device_id, "right"))
    assert not accepts(address(broker, device.device_id, "wrong"))
    assert accepts(address(broker, "svc-ingest-0", "ingest's own"))


def test_a_gateway_signs_in_like_a_device_and_reaches_ingest_by_its_own_topics(
    database: Database, broker: TestBroker, provisioner: Provisioner
) -> None:
    with database.begin() as session:
        account_id = add_device(session).account_id
        gateway = Gateway(
            account_id=account_id,
            gateway_id=new_id(),
            name="Traccar",
            dialect="traccar_forward",
            created_at=utc_now(),
        )
        gateways.add(session, gateway, mqtt_password_hash=password_hash("right"))
    assert provisioner.sync()
    with database.begin() as session:
        assert gateways.get(session, account_id, gateway.gateway_id).provisioned_at is not None
    assert accepts(address(broker, gateway.gateway_id, "right"))
    ingest = WireDevice(broker.port, "svc-ingest-0", "ingest's own")
    ingest.subscribe("gateway/#")
    bridge = WireDevice(broker.port, gateway.gateway_id, "right")
    for topic in (of_device("gateway", new_id(), "up"), of_device("gateway", gateway.gateway_id, "up")):
        bridge.publish(topic, b"{}")
    until(lambda: ingest.heard, "the gateway's message")
    assert ingest.heard == [(of_device("gateway", gateway.gateway_id, "up"), b"{}")]
    for client in (ingest, bridge):
        client.close()


def test_files_that_are_right_are_left_alone(
    database: Database, broker: TestBroker, provisioner: Provisioner
) -> None:
    add(database, "right")
    provisioner.sync()
    written = (broker.folder / "mosquitto" / "passwords").stat().st_mtime_ns
    assert not provisioner.sync()
    assert (broker.folder / "mosquitto" / "passwords").stat().st_mtime_ns == written


def test_a_replaced_password_ends_the_old_one(
    database: Database, broker: TestBroker, provisioner: Provisioner
) -> None:
    device = add(database, "old")
    provisioner.sync()
    with database.begin() as session:
        devices.set_password_hash(session, device.account_id, device.device_id, password_hash("new"))
    assert not provisioned(database, device)
    provisioner.sync()
    assert provisioned(database, device)
    assert accepts(address(broker, device.device_id, "new"))
    assert not accepts(address(broker, device.device_id, "old"))


def test_a_change_is_noticed_while_running(
    database: Database, broker: TestBroker, provisioner: Provisioner
) -> None:
    with running(provisioner):
        for _ in range(3):
            device = add(database, "right")
            until(partial(provisioned, database, device), "the device to be known", timeout_s=5)
            assert accepts(address(broker, device.device_id, "right"))
        with database.begin() as session:
            devices.remove(session, device.account_id, device.device_id)
        until(lambda: not accepts(address(broker, device.device_id, "right")), "the removed device to be out")


def test_a_broker_that_does_not_run_finds_its_files_when_it_starts(
    database: Database, broker: TestBroker, provisioner: Provisioner
) -> None:
    broker.stop()
    device = add(database, "right")
    provisioner.sync()
    assert provisioned(database, device)


def test_the_files_are_their_owners_alone(
    database: Database, broker: TestBroker, provisioner: Provisioner
) -> None:
    add(database, "right")
    provisioner.sync()
    folder = broker.folder / "mosquitto"
    for name in ("passwords", "access"):
        status = (folder / name).stat()
        assert status.st_mode & 0o777 == 0o600
        assert status.st_uid == folder.stat().st_uid
    assert sorted(each.name for each in folder.iterdir() if each.name.startswith(".passwords")) == []


REPLACE = """
import sys
from pathlib import Path
from tracker.ingest.provision import replace_file
path, number = Path(sys.argv[1]), 0
sys.stdout.write("begun\\n"); sys.stdout.flush()
while True:
    number += 1
    replace_file(path, f"{number % 10}" * 200_000)
"""


def differs(path: Path, text: str) -> bool:
    return path.read_text() != text


def test_a_file_is_whole_whenever_the_writer_is_killed(tmp_path: Path) -> None:
    path = tmp_path / "passwords"
    replace_file(path, "0" * 200_000)
    for turn in range(8):
        writer = subprocess.Popen([sys.executable, "-c", REPLACE, str(path)], stdout=subprocess.PIPE)
        assert writer.stdout is not None
        writer.stdout.readline()
        seen = path.read_text()
        until(partial(differs, path, seen), f"write {turn}")
        writer.kill()
        writer.wait()
        writer.stdout.close()
        left = path.read_text()
        assert len(left) == 200_000
        assert len(set(left)) == 1


def test_a_number_that_is_no_brokers_gets_no_signal(tmp_path: Path) -> None:
    pid_file = tmp_path / "mosquitto.pid"
    assert not signal_broker(pid_file)
    pid_file.write_text(f"{os.getpid()}\n")
    assert not signal_broker(pid_file)
    pid_file.write_text("nonsense")
    assert not signal_broker(pid_file)


def test_every_service_of_ours_has_limits_of_its_own() -> None:
    text = access_file(["svc-ingest-0", "svc-monitor", NOTIFIER])
    notifier = text.partition(f"user {NOTIFIER}\n")[2].partition("\n\n")[0]
    assert notifier.splitlines() == [
        "topic write tracker/+/+/alert",
        "topic write tracker/+/+/command",
        "topic write owntracks/+/+/cmd",
    ]
    monitor = text.partition("user svc-monitor\n")[2].partition("\n\n")[0]
    assert monitor == "topic read $SYS/#"
    assert "#" not in text.partition("pattern")[2].replace("owntracks/+/%u/#", "").replace(
        "gateway/+/%u/#", ""
    )
