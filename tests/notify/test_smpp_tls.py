"""SMS to an SMSC behind TLS: a real one, with a relay before it that speaks TLS."""

import asyncio
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.kit.certificates import write_certificate
from tests.kit.smsc import Smsc, smsc
from tests.kit.waiting import until
from tests.notify.moments import NOW
from tracker.domain.errors import Unavailable
from tracker.local.ports import free_port
from tracker.notify.transports._sender import Receipt
from tracker.notify.transports.smpp import TRANSPORT, SmppSender

NUMBER = "+79161234500"
TEXT = "Рядом: Маша ушла из школы в 14:05, дома её ждут к 15:00. https://ryadom.example/a/0123456789abcdef"


class Relay:
    """Relays what comes by TLS to a port, and back."""

    def __init__(self, to: int, certificate: Path, key: Path) -> None:
        self._to = to
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate, key)
        self.port = free_port()

    @contextmanager
    def running(self) -> Iterator[int]:
        """Yield where it listens."""
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=loop.run_forever)
        thread.start()
        try:
            asyncio.run_coroutine_threadsafe(self._start(), loop).result(10)
            yield self.port
            asyncio.run_coroutine_threadsafe(self._end(), loop).result(10)
        finally:
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            loop.close()

    async def _start(self) -> None:
        self._server = await asyncio.start_server(self._relay, "127.0.0.1", self.port, ssl=self._context)

    async def _end(self) -> None:
        self._server.close()
        rest = asyncio.all_tasks() - {asyncio.current_task()}
        for each in rest:
            each.cancel()
        await asyncio.gather(*rest, return_exceptions=True)

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        back, forth = await asyncio.open_connection("127.0.0.1", self._to)
        await asyncio.gather(pump(reader, forth), pump(back, writer))


async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    """Copy octets until there are no more."""
    try:
        while octets := await source.read(4096):
            sink.write(octets)
            await sink.drain()
    finally:
        sink.close()
        with suppress(OSError):
            await sink.wait_closed()


@pytest.fixture
def center(tmp_path: Path) -> Iterator[Smsc]:
    with smsc(tmp_path) as started:
        yield started


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    return write_certificate(tmp_path)


@pytest.fixture
def port(center: Smsc, certificate: tuple[Path, Path]) -> Iterator[int]:
    with Relay(center.port, *certificate).running() as here:
        yield here


def opened(port: int, receipts: list[Receipt]) -> SmppSender:
    return TRANSPORT.open(f"smpps://tracker:secret@localhost:{port}", "3339", Path("unused"), receipts.append)


def test_messages_and_receipts_go_through_and_leave_is_taken(
    center: Smsc, port: int, certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    receipts: list[Receipt] = []
    sender = opened(port, receipts)
    sender.send(NUMBER, TEXT, NOW, message_id="00ff")
    assert center.text_to(NUMBER[1:]) == TEXT
    until(lambda: receipts == [Receipt(message_id="00ff", delivered=True)], "the receipt")
    started_s = time.monotonic()
    sender.close()
    assert time.monotonic() - started_s < 2
    until(lambda: center.seen("unbound"), "the SMSC to be left")


def test_a_certificate_of_nobodys_gets_no_password(
    center: Smsc, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.setattr("tracker.notify.transports._smpp_link.BOUND_WITHIN_S", 0.5)
    sender = opened(port, [])
    with pytest.raises(Unavailable, match="certificate"):
        sender.send(NUMBER, TEXT, NOW, message_id="00ff")
    sender.close()
    assert center.seen("bound") == []


def test_an_smsc_without_tls_gets_no_password(center: Smsc, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tracker.notify.transports._smpp_link.BOUND_WITHIN_S", 0.5)
    sender = opened(center.port, [])
    with pytest.raises(Unavailable):
        sender.send(NUMBER, TEXT, NOW, message_id="00ff")
    sender.close()
    assert center.seen("bound") == []
