"""SMS to a real SMSC of other authors."""

import logging
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.kit.smsc import WIDE, Smsc, smsc
from tests.kit.waiting import until
from tests.notify.moments import NOW
from tracker.domain.errors import Misconfigured, Refused, Unavailable
from tracker.local.ports import free_port
from tracker.notify.transports._sender import Receipt
from tracker.notify.transports.smpp import TRANSPORT, SmppSender

RUSSIAN = "Рядом: Маша ушла из школы в 14:05, дома её ждут к 15:00. https://ryadom.example/a/0123456789abcdef"
BIND_TRANSCEIVER_RESP, SUBMIT_SM, SUBMIT_SM_RESP, DELIVER_SM = 0x80000009, 4, 0x80000004, 5
UNBIND = 6


@pytest.fixture
def center(tmp_path: Path) -> Iterator[Smsc]:
    with smsc(tmp_path) as started:
        yield started


@pytest.fixture
def receipts() -> list[Receipt]:
    return []


@pytest.fixture
def sender(center: Smsc, receipts: list[Receipt]) -> Iterator[SmppSender]:
    opened = TRANSPORT.open(center.url, "3339", Path("unused"), receipts.append)
    yield opened
    opened.close()


def send(sender: SmppSender, to: str, text: str = "Рядом: проверка", message_id: str = "00ff") -> None:
    sender.send(to, text, NOW, message_id=message_id)


def test_a_cyrillic_text_arrives_in_joined_parts_and_its_receipts_are_told_once(
    center: Smsc, sender: SmppSender, receipts: list[Receipt]
) -> None:
    send(sender, "+79161234500", RUSSIAN)
    assert center.text_to("79161234500") == RUSSIAN
    assert len(center.messages) == 2
    for each in center.messages:
        assert each["data_coding"] == WIDE
        assert each["length"] <= 140
        assert each["types"] == [1, 1, 0, 1]
        assert each["source"] == "3339"
        assert each["optional"] == []
    headers = sorted(each["header"] for each in center.messages)
    assert [(each[:6], each[8:]) for each in headers] == [("050003", "0201"), ("050003", "0202")]
    assert len({each[6:8] for each in headers}) == 1, "the parts have one reference"
    until(lambda: receipts, "the receipt")
    until(lambda: len(center.seen("receipt")) == 2, "both receipts to be acknowledged")
    assert receipts == [Receipt(message_id="00ff", delivered=True)]


def test_a_text_of_the_gsm_alphabet_costs_half(center: Smsc, sender: SmppSender) -> None:
    text = "Ryadom: Masha left school at 14:05, cost 3 EUR. " * 3
    send(sender, "+79161234500", text)
    (got,) = center.messages
    assert (got["data_coding"], got["length"], got["text"]) == (0, len(text), text)


def test_letters_as_the_sender_are_a_name(center: Smsc) -> None:
    opened = TRANSPORT.open(center.url, "Ryadom", Path("unused"))
    send(opened, "+79161234500")
    opened.close()
    assert center.messages[0]["types"] == [1, 1, 5, 0]


def test_a_refused_number_is_final(sender: SmppSender) -> None:
    with pytest.raises(Refused, match="ESME_RINVDSTADR"):
        send(sender, "+79161234502")


def test_throttling_is_worth_another_try_and_stops_nobody_else(center: Smsc, sender: SmppSender) -> None:
    for _ in range(3):
        with pytest.raises(Unavailable, match="ESME_RTHROTTLED"):
            send(sender, "+79161234501")
    started_s = time.monotonic()
    for index in range(60):
        send(sender, f"+7916000{index:03d}0")
    assert time.monotonic() - started_s < 10
    with pytest.raises(Unavailable):
        send(sender, "+79161234509")
    send(sender, "+79161234509")
    assert center.text_to("79161234509") == "Рядом: проверка" * 2


def test_an_answer_that_never_comes_is_given_up(sender: SmppSender, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tracker.notify.transports._smpp_link.ANSWERED_WITHIN_S", 0.5)
    with pytest.raises(Unavailable, match="does not answer"):
        send(sender, "+79161234503")
    send(sender, "+79161234500")


@pytest.mark.parametrize("last", ["5", "6", "8"])
def test_receipts_of_every_form_are_understood_and_acknowledged_once(
    center: Smsc, sender: SmppSender, receipts: list[Receipt], last: str
) -> None:
    send(sender, f"+7916123450{last}")
    until(lambda: receipts == [Receipt(message_id="00ff", delivered=True)], "the receipt")
    until(lambda: center.seen("receipt"), "its acknowledgement")
    assert center.seen("receipt")[0]["status"] == 0
    assert len(center.seen("bound")) == 1, "the session broke"


def test_a_message_that_cannot_be_delivered_is_told(sender: SmppSender, receipts: list[Receipt]) -> None:
    send(sender, "+79161234507", RUSSIAN)
    until(lambda: receipts, "the receipt")
    assert receipts == [Receipt(message_id="00ff", delivered=False)]


def test_a_callback_that_fails_stops_nothing(center: Smsc) -> None:
    told = threading.Semaphore(0)

    def fail(receipt: Receipt) -> None:
        told.release()
        raise RuntimeError(receipt.message_id)

    opened = TRANSPORT.open(center.url, "3339", Path("unused"), fail)
    for _ in range(2):
        send(opened, "+79161234500")
        assert told.acquire(timeout=10)
    opened.close()


def test_an_smsc_that_comes_back_is_bound_again_and_gets_each_message_once(
    center: Smsc, sender: SmppSender, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(sender, "+79161234500")
    center.kill()
    for name in ("BOUND_WITHIN_S", "ANSWERED_WITHIN_S"):
        monkeypatch.setattr(f"tracker.notify.transports._smpp_link.{name}", 0.5)
    for _ in range(3):
        with pytest.raises(Unavailable):
            send(sender, "+79160000000", "while it was away")
    center.start()
    until(lambda: len(center.seen("bound")) == 2, "the second bind")
    send(sender, "+79160000000", "after")
    assert center.text_to("79160000000") == "after", "what was given up went out nevertheless"


def test_many_threads_share_one_bind(center: Smsc, sender: SmppSender) -> None:
    numbers = [f"+7916000{index:03d}0" for index in range(100)]
    with ThreadPoolExecutor(max_workers=8) as threads:
        list(threads.map(lambda number: send(sender, number), numbers))
    assert sorted(each["to"] for each in center.messages) == [each[1:] for each in numbers]
    assert len(center.seen("bound")) == 1


def test_nobody_there_is_worth_another_try(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tracker.notify.transports._smpp_link.BOUND_WITHIN_S", 0.3)
    opened = TRANSPORT.open(f"smpp://u:p@127.0.0.1:{free_port()}", "3339", Path("unused"))
    with pytest.raises(Unavailable, match="does not answer"):
        send(opened, "+79161234500")
    opened.close()


def test_a02_nothing_of_the_message_is_logged_or_in_an_error(
    sender: SmppSender, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    with pytest.raises(Refused) as refused:
        send(sender, "+79161234502", "code 01234567")
    with pytest.raises(Unavailable) as unavailable:
        send(sender, "+79161234501", "code 01234567")
    output = capsys.readouterr()
    said = caplog.text + str(refused.value) + str(unavailable.value) + output.out + output.err
    assert not any(each in said for each in ("7916123450", "01234567", "secret"))


@pytest.mark.parametrize(
    "url",
    [
        "smpp://user:nine-long@host",
        "smpp://a-system-id-too-long:p@host",
        "smpp://u:p@host:99999",
        "smpp://u:p@host?source_ton=99",
        "smpp://u:p@host?sourceton=1",
        "smpp://",
    ],
)
def test_what_smpp_cannot_carry_is_told_when_it_is_set(url: str) -> None:
    with pytest.raises(Misconfigured, match="TRACKER_SMS"):
        TRANSPORT.open(url, "3339", Path("unused"))


# --- an SMSC that means harm, or is broken: no library would play it ---


def pdu(command: int, sequence: int, body: bytes = b"", status: int = 0, length: int | None = None) -> bytes:
    return struct.pack("!4I", 16 + len(body) if length is None else length, command, status, sequence) + body


@contextmanager
def hostile(answer: Callable[[int, int], bytes]) -> Iterator[int]:
    """Answer each PDU's command and sequence with whatever octets; the bind is taken as it should be."""
    stop = threading.Event()

    def serve(came: socket.socket) -> None:
        with came:
            while not stop.is_set():
                head = came.recv(16, socket.MSG_WAITALL)
                if len(head) < 16:
                    return
                length, command, _, sequence = struct.unpack("!4I", head)
                came.recv(length - 16, socket.MSG_WAITALL)
                try:
                    came.sendall(answer(command, sequence))
                except OSError:
                    return

    def listen() -> None:
        while not stop.is_set():
            try:
                came, _ = server.accept()
            except OSError:
                return
            came.settimeout(20)
            threading.Thread(target=serve, args=(came,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=listen, daemon=True).start()
        yield server.getsockname()[1]
        stop.set()
        server.shutdown(socket.SHUT_RDWR)


BAD_ANSWERS = {
    "a length of four gigabytes": lambda sequence: pdu(SUBMIT_SM_RESP, sequence, length=0xFFFFFFFF),
    "a length below the header": lambda sequence: pdu(SUBMIT_SM_RESP, sequence, length=3),
    "no body": lambda sequence: pdu(SUBMIT_SM_RESP, sequence),
    "an unknown command": lambda sequence: pdu(0x7777, sequence, b"x" * 100),
    "a request nobody makes of us": lambda sequence: pdu(SUBMIT_SM, sequence, b"\0"),
    "a receipt cut short": lambda _: pdu(DELIVER_SM, 7, b"\0\1\1"),
    "a receipt of nonsense": lambda _: pdu(DELIVER_SM, 7, bytes(range(256)) * 9),
    "an answer to nothing": lambda sequence: pdu(SUBMIT_SM_RESP, sequence + 999, b"id\0"),
    "an id without an end": lambda sequence: pdu(SUBMIT_SM_RESP, sequence + 999, b"i" * 60_000),
}


@pytest.mark.parametrize("bad", BAD_ANSWERS.values(), ids=BAD_ANSWERS.keys())
def test_after_any_nonsense_the_next_message_goes_through(
    bad: Callable[[int], bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tracker.notify.transports._smpp_link.ANSWERED_WITHIN_S", 1.0)
    asked = 0

    def answer(command: int, sequence: int) -> bytes:
        nonlocal asked
        if command != SUBMIT_SM:
            return pdu(command | 0x80000000, sequence, b"smsc\0" if command == 9 else b"")
        asked += 1
        return bad(sequence) if asked == 1 else pdu(SUBMIT_SM_RESP, sequence, b"1\0")

    with hostile(answer) as port:
        opened = TRANSPORT.open(f"smpp://u:p@127.0.0.1:{port}", "3339", Path("unused"))
        try:
            send(opened, "+79161234500")
        except Unavailable:
            assert asked == 1
        until(lambda: went_through(opened), "a message to go through", timeout_s=10)
        opened.close()


def went_through(sender: SmppSender) -> bool:
    try:
        send(sender, "+79161234500")
    except Unavailable:
        return False
    return True


def test_a_status_that_only_the_vendor_knows_is_a_refusal_and_no_end_of_the_session() -> None:
    binds = []

    def answer(command: int, sequence: int) -> bytes:
        if command == SUBMIT_SM:
            return pdu(SUBMIT_SM_RESP, sequence, b"\0", status=0x0412)
        if command == 9:
            binds.append(sequence)
        return pdu(command | 0x80000000, sequence, b"smsc\0" if command == 9 else b"")

    with hostile(answer) as port:
        opened = TRANSPORT.open(f"smpp://u:p@127.0.0.1:{port}", "3339", Path("unused"))
        for _ in range(2):
            with pytest.raises(Refused, match="ESME_RUNKNOWNERR"):
                send(opened, "+79161234500")
        opened.close()
    assert len(binds) == 1


def test_a_receipt_that_overtakes_the_answer_counts() -> None:
    text = b"id:0A1 stat:DELIVRD"
    receipt = (
        b"\0"
        + b"\1\1"
        + b"7\0"
        + b"\0\1"
        + b"3\0"
        + b"\4\0\0"
        + b"\0\0"
        + b"\0\0\0\0"
        + bytes((len(text),))
        + text
    )

    def answer(command: int, sequence: int) -> bytes:
        if command == SUBMIT_SM:
            return pdu(DELIVER_SM, 7, receipt) + pdu(SUBMIT_SM_RESP, sequence, b"0a1\0")
        return pdu(command | 0x80000000, sequence, b"smsc\0" if command == 9 else b"")

    receipts: list[Receipt] = []
    with hostile(answer) as port:
        opened = TRANSPORT.open(f"smpp://u:p@127.0.0.1:{port}", "3339", Path("unused"), receipts.append)
        send(opened, "+79161234500")
        until(lambda: receipts == [Receipt(message_id="00ff", delivered=True)], "the receipt")
        opened.close()


def test_who_closes_takes_leave_of_the_smsc() -> None:
    asked = []

    def answer(command: int, sequence: int) -> bytes:
        asked.append(command)
        body = {9: b"smsc\0", SUBMIT_SM: b"1\0"}.get(command, b"")
        return pdu(command | 0x80000000, sequence, body)

    with hostile(answer) as port:
        opened = TRANSPORT.open(f"smpp://u:p@127.0.0.1:{port}", "3339", Path("unused"))
        send(opened, "+79161234500")
        started_s = time.monotonic()
        opened.close()
        assert time.monotonic() - started_s < 2
    assert asked == [9, SUBMIT_SM, UNBIND]


def test_a_wrong_password_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tracker.notify.transports._smpp_link.BOUND_WITHIN_S", 0.5)
    with hostile(lambda _, sequence: pdu(BIND_TRANSCEIVER_RESP, sequence, b"\0", status=0x0E)) as port:
        opened = TRANSPORT.open(f"smpp://u:p@127.0.0.1:{port}", "3339", Path("unused"))
        with pytest.raises(Unavailable, match="ESME_RINVPASWD"):
            send(opened, "+79161234500")
        opened.close()
