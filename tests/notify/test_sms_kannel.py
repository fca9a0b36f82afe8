"""SMS through Kannel: our HTTP transport, a real gateway, a real SMSC behind it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kit.kannel import Kannel, kannel
from tests.kit.smsc import Smsc, smsc
from tests.kit.waiting import until
from tests.notify.moments import NOW
from tracker.domain.errors import Refused
from tracker.notify.transports.http import TRANSPORT

RUSSIAN = "Рядом: Маша ушла из школы в 14:05, дома её ждут к 15:00. https://ryadom.example/a/0123456789abcdef"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("kannel")


@pytest.fixture(scope="module")
def center(folder: Path) -> Iterator[Smsc]:
    with smsc(folder) as started:
        yield started


@pytest.fixture(scope="module")
def gateway(folder: Path, center: Smsc) -> Iterator[Kannel]:
    with kannel(folder, center.port) as started:
        until(lambda: center.seen("bound"), "Kannel to bind")
        yield started


def send(url: str, to: str, text: str = RUSSIAN) -> None:
    TRANSPORT.open(url, "3339", Path("unused")).send(to, text, NOW, message_id="00ff")


def test_a_cyrillic_text_reaches_the_smsc_joined(gateway: Kannel, center: Smsc) -> None:
    send(gateway.url(), "+79161234500")
    until(lambda: center.text_to("79161234500") == RUSSIAN, "the whole text")


def test_what_would_be_a_placeholder_or_a_parameter_stays_text(gateway: Kannel, center: Smsc) -> None:
    text = "Рядом & {to} = 100 % + &coding=0"
    send(gateway.url(), "+79161234510", text)
    until(lambda: center.text_to("79161234510") == text, "the text")


def test_a_wrong_password_is_told(gateway: Kannel) -> None:
    with pytest.raises(Refused, match="403"):
        send(gateway.url("wrong"), "+79161234500")


def test_a_message_for_an_smsc_that_is_away_is_kept_by_the_gateway_and_comes_once(
    gateway: Kannel, center: Smsc
) -> None:
    bound = len(center.seen("bound"))
    center.kill()
    send(gateway.url(), "+79161234520", "позже")
    center.start()
    until(lambda: len(center.seen("bound")) > bound, "Kannel to bind again")
    until(lambda: center.text_to("79161234520") == "позже", "the kept message")
