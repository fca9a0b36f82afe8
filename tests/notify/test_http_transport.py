"""SMS over an HTTP gateway."""

import logging
import socket
from base64 import b64encode
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.notify.conftest import NOW
from tests.notify.gateway import Gateway
from tracker.domain.errors import Refused, Unavailable
from tracker.local.ports import free_port
from tracker.notify.transports.http import TRANSPORT

TEXT = "Рядом: код 01234567 & {to} #?=%"


def send(url: str, to: str = "+79161234567", text: str = TEXT) -> None:
    TRANSPORT.open(url, "3339", Path("unused")).send(to, text, NOW, message_id="00ff")


def test_a_message_is_posted_as_json(sms_gateway: Gateway) -> None:
    send(sms_gateway.url)
    (got,) = sms_gateway.got
    assert (got.method, got.path) == ("POST", "/send")
    assert got.headers["content-type"] == "application/json"
    assert got.message == {"from": "3339", "to": "+79161234567", "text": TEXT}
    assert got.headers["idempotency-key"] == "00ff"
    assert "authorization" not in got.headers


def test_placeholders_make_it_a_get_with_encoded_values(sms_gateway: Gateway) -> None:
    send(f"http://127.0.0.1:{sms_gateway.port}/s/{{from}}?phone={{to}}&msg={{text}}&k=v")
    (got,) = sms_gateway.got
    assert got.method == "GET"
    assert urlsplit(got.path).path == "/s/3339"
    query = parse_qs(urlsplit(got.path).query)
    assert query == {"phone": ["+79161234567"], "msg": [TEXT], "k": ["v"]}


def test_user_and_password_go_as_basic_authentication(sms_gateway: Gateway) -> None:
    send(f"http://me:p%40ss%3A@127.0.0.1:{sms_gateway.port}/send")
    (got,) = sms_gateway.got
    assert got.headers["authorization"] == "Basic " + b64encode(b"me:p@ss:").decode()
    assert "p%40ss" not in got.path


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_every_2xx_is_success(sms_gateway: Gateway, status: int) -> None:
    sms_gateway.status = status
    send(sms_gateway.url)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 422])
def test_4xx_is_final(sms_gateway: Gateway, status: int) -> None:
    sms_gateway.status = status
    with pytest.raises(Refused, match=str(status)):
        send(sms_gateway.url)


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503])
def test_5xx_and_too_many_are_worth_another_try(sms_gateway: Gateway, status: int) -> None:
    sms_gateway.status = status
    with pytest.raises(Unavailable, match=str(status)):
        send(sms_gateway.url)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(sms_gateway: Gateway, status: int) -> None:
    sms_gateway.status = status
    with pytest.raises(Refused, match=str(status)):
        send(sms_gateway.url)
    assert len(sms_gateway.got) == 1


def test_nobody_there_is_worth_another_try() -> None:
    with pytest.raises(Unavailable):
        send(f"http://127.0.0.1:{free_port()}/send")


def test_a_gateway_that_never_answers_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(Unavailable, match="Timeout"):
        send(f"http://127.0.0.1:{silent.getsockname()[1]}/send")


def test_the_proxies_of_the_machine_have_no_say(
    sms_gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("NO_PROXY", "")
    monkeypatch.setenv("no_proxy", "")
    send(sms_gateway.url)
    assert len(sms_gateway.got) == 1


def test_a02_nothing_of_the_message_is_logged_or_in_an_error(
    sms_gateway: Gateway, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    url = f"http://me:secret@127.0.0.1:{sms_gateway.port}/?to={{to}}&text={{text}}"
    send(url)
    sms_gateway.status = 400
    with pytest.raises(Refused) as refused:
        send(url)
    said = caplog.text + str(refused.value)
    assert not any(each in said for each in ("79161234567", "01234567", "secret"))
