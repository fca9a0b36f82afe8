"""The credentials file is read whole or refused with the member that is wrong."""

import json
from pathlib import Path
from typing import Any

import pytest

from devices.simulator.credentials import CredentialsUnreadable, parse_credentials, read_credentials

GOOD: dict[str, Any] = {
    "host": "127.0.0.1",
    "port": 1883,
    "tls": False,
    "devices": [
        {"device_id": "0123456789abcdef", "password": "hush", "role": "child", "track": "child-walk"}
    ],
}


def test_file_gives_broker_and_devices(tmp_path: Path) -> None:
    path = tmp_path / "demo.json"
    path.write_text(json.dumps(GOOD))
    found = read_credentials(path)
    assert (found.broker.host, found.broker.port, found.broker.tls) == ("127.0.0.1", 1883, False)
    assert found.devices[0].device_id == "0123456789abcdef"
    assert found.devices[0].shard == "0"
    assert found.devices[0].dialect == "native"


def test_password_is_not_in_the_representation() -> None:
    assert "hush" not in repr(parse_credentials(GOOD))


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"host": ""}, "host"),
        ({"port": "1883"}, "port"),
        ({"port": True}, "port"),
        ({"port": 70000}, "port"),
        ({"devices": []}, "devices"),
        ({"devices": [{"device_id": "a"}]}, "password"),
        ({"devices": [{"device_id": "a", "password": "hush", "dialect": "morse"}]}, "dialect"),
        ({"devices": [{"device_id": "a", "password": "hush", "encoding": "xml"}]}, "encoding"),
        ({"devices": ["a"]}, r"devices\[0\]"),
    ],
)
def test_wrong_member_is_named_and_no_password_told(change: dict[str, Any], named: str) -> None:
    with pytest.raises(CredentialsUnreadable, match=named) as refused:
        parse_credentials(GOOD | change)
    assert "hush" not in str(refused.value)


def test_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CredentialsUnreadable):
        read_credentials(tmp_path / "none.json")
