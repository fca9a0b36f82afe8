from pathlib import Path

import pytest

from tests.kit.broker import TestBroker
from tracker.domain.errors import Misconfigured
from tracker.ingest.client import BrokerAddress, accepts
from tracker.local.identity import current_user
from tracker.local.mosquitto import Broker, configuration


def address(broker: TestBroker, user: str, password: str) -> BrokerAddress:
    return BrokerAddress(host="127.0.0.1", port=broker.port, tls=False, username=user, password=password)


def test_only_who_is_in_the_file_with_the_right_password_signs_in(broker: TestBroker) -> None:
    device = "3f9a0c51d27be684"
    password = broker.add(device)
    assert accepts(address(broker, device, password))
    assert not accepts(address(broker, device, password[:-1]))
    assert not accepts(address(broker, "0123456789abcdef", password))
    assert not accepts(address(broker, "", ""))
    broker.remove(device)
    assert not accepts(address(broker, device, password))


def test_it_comes_back_on_the_same_port_with_the_same_users(broker: TestBroker) -> None:
    password = broker.add("3f9a0c51d27be684")
    broker.kill9()
    broker.start()
    assert accepts(address(broker, "3f9a0c51d27be684", password))
    broker.restart()
    assert accepts(address(broker, "3f9a0c51d27be684", password))


def test_its_files_are_closed_to_others(broker: TestBroker) -> None:
    folder = broker.product.folder
    assert folder.stat().st_mode & 0o777 == 0o700
    for name in ("passwords", "access", "mosquitto.conf"):
        assert (folder / name).stat().st_mode & 0o777 == 0o600
        assert (folder / name).stat().st_uid == broker.product.user.uid


def test_clients_are_never_sent_to_the_address_of_every_interface() -> None:
    def url(host: str) -> str:
        return Broker(host, 1883, Path("/x"), current_user(), Path("/usr/sbin/mosquitto")).url

    assert url("0.0.0.0") == "mqtt://127.0.0.1:1883"  # noqa: S104  # compared only
    assert url("::") == "mqtt://[::1]:1883"
    assert url("192.0.2.7") == "mqtt://192.0.2.7:1883"


def test_a_folder_name_cannot_smuggle_in_a_rule() -> None:
    with pytest.raises(Misconfigured, match="line break"):
        configuration("127.0.0.1", 1883, Path("/tmp/x\nallow_anonymous true"))
