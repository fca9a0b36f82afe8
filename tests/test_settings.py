import os
from pathlib import Path

import pytest

from tracker import settings
from tracker.domain.errors import Misconfigured


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in list(os.environ):
        if name.startswith("TRACKER_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def test_the_contracts_defaults(tmp_path: Path) -> None:
    read = settings.read()
    assert read.data_dir == tmp_path / "var"
    assert read.http_address == ("127.0.0.1", 8000)
    assert read.public_url == "http://127.0.0.1:8000"
    assert read.mqtt_address == ("127.0.0.1", 1883)
    assert (read.database_url, read.broker_url, read.secret_key, read.trusted_network) == (None,) * 4
    assert (read.sms, read.sms_from, read.mail, read.log) == ("file", "3339", "file", "info")


def test_a_dotenv_file_is_read(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("TRACKER_HTTP=0.0.0.0:9000\n")
    assert settings.read().http_address == ("0.0.0.0", 9000)  # noqa: S104


def test_an_empty_variable_is_an_unset_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACKER_DATABASE_URL", "")
    assert settings.read().database_url is None


def test_ipv6_addresses_are_understood() -> None:
    assert settings.split_address("[::1]:8000") == ("::1", 8000)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TRACKER_HTTP", "8000"),
        ("TRACKER_HTTP", "localhost:0"),
        ("TRACKER_MQTT", "localhost:99999"),
        ("TRACKER_SMS", "carrier-pigeon://x"),
        ("TRACKER_MAIL", "http://x"),
        ("TRACKER_MAIL_FROM", "nobody"),
        ("TRACKER_VAPID_SUBJECT", "http://x"),
        ("TRACKER_BROKER_URL", "http://x"),
        ("TRACKER_LOG", "loud"),
        ("TRACKER_SMS_PER_HOUR", "0"),
    ],
)
def test_a_wrong_setting_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(Misconfigured, match=name):
        settings.read()


def test_settings_cannot_be_changed() -> None:
    read = settings.read()
    with pytest.raises(Exception, match="frozen"):
        setattr(read, "http", "x:1")  # noqa: B010 - by name, for the type checker knows better


def test_mail_and_pushes_come_from_the_public_host_unless_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACKER_PUBLIC_URL", "https://ryadom.example/")
    read = settings.read()
    assert (read.mail_from, read.vapid_subject) == ("ryadom@ryadom.example", "mailto:ryadom@ryadom.example")
    monkeypatch.setenv("TRACKER_MAIL_FROM", "Рядом <alerts@ryadom.example>")
    assert settings.read().vapid_subject == "mailto:alerts@ryadom.example"
