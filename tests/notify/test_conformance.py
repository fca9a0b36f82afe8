"""What every transport and channel must do, newcomers included."""

from pathlib import Path
from typing import Any

import pytest

from tests.notify.conftest import NOW
from tests.notify.gateway import Gateway
from tracker import registry
from tracker.domain.errors import Misconfigured
from tracker.domain.notification import Notification
from tracker.notify.channels.sms import SmsChannel
from tracker.settings import Settings

TRANSPORTS = registry.load("tracker.notify.transports", "TRANSPORT")
MAIL_TRANSPORTS = registry.load("tracker.notify.mail", "TRANSPORT")
CHANNELS = registry.load("tracker.notify.channels", "CHANNEL")


def test_the_contract_s_transports_and_channels_are_there() -> None:
    assert {"file", "http", "smpp"} <= set(TRANSPORTS)
    assert {"file", "smtp"} <= set(MAIL_TRANSPORTS)
    assert {"sms", "email", "webpush", "mqtt"} <= set(CHANNELS)


@pytest.mark.parametrize("transport", TRANSPORTS.values(), ids=TRANSPORTS.keys())
def test_opening_a_transport_touches_nothing(transport: Any, tmp_path: Path) -> None:
    for scheme in transport.schemes:
        transport.open(f"{scheme}://127.0.0.1:1/x", "3339", tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("transport", MAIL_TRANSPORTS.values(), ids=MAIL_TRANSPORTS.keys())
def test_opening_a_mail_transport_touches_nothing(transport: Any, tmp_path: Path) -> None:
    for scheme in transport.schemes:
        transport.open(f"{scheme}://127.0.0.1:1", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_no_scheme_is_claimed_twice() -> None:
    schemes = [scheme for transport in TRANSPORTS.values() for scheme in transport.schemes]
    assert len(schemes) == len(set(schemes))


@pytest.mark.parametrize("setting", ["file", "http://127.0.0.1:1/", "https://gateway.example/send?x={to}"])
def test_every_value_that_the_setting_takes_has_a_transport(setting: str, tmp_path: Path) -> None:
    Settings(_env_file=None, sms=setting)
    SmsChannel(TRANSPORTS, url=setting, sender="3339", outbox_dir=tmp_path)


def test_a_scheme_without_a_transport_is_told_with_the_cure(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="TRACKER_SMS: one of file, http, https"):
        SmsChannel(TRANSPORTS, url="pigeon://x", sender="3339", outbox_dir=tmp_path)


def test_a_channel_sends_the_composed_text(sms_gateway: Gateway, tmp_path: Path) -> None:
    channel = SmsChannel(TRANSPORTS, url=sms_gateway.url, sender="3339", outbox_dir=tmp_path)
    told = Notification(
        channel="sms",
        kind="own_code_changed",
        to="+79161234567",
        locale="en",
        expires_at=NOW,
    )
    channel.send(told, NOW, message_id="1")
    assert sms_gateway.got[0].message["text"].startswith("Ryadom: your own code was changed.")
