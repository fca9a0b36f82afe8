"""Mail to a real server of other authors."""

import logging
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.kit.mail_sink import PASSWORD, USER, MailSink, mail_sink
from tests.notify.moments import NOW
from tracker import registry
from tracker.domain.errors import Misconfigured, Refused, Unavailable
from tracker.domain.notification import Notification
from tracker.local.ports import free_port
from tracker.notify.channels.email import EmailChannel
from tracker.notify.mail import smtp
from tracker.notify.mail._mailer import Letter
from tracker.notify.mail.file import TRANSPORT as FILE
from tracker.notify.mail.smtp import SmtpMailer

pytestmark = pytest.mark.filterwarnings("ignore:Session.login_data is deprecated:DeprecationWarning")

FROM = "Рядом <alerts@ryadom.example>"
LETTER = Letter(sender=FROM, to="mama@example.org", subject="Маша: в школе", text="Маша в школе с 8:12.\n")


@pytest.fixture
def sink(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MailSink]:
    with mail_sink(tmp_path) as started:
        monkeypatch.setenv("SSL_CERT_FILE", str(started.certificate))
        yield started


def mailer(port: int, *, scheme: str = "smtp", password: str = PASSWORD, query: str = "") -> SmtpMailer:
    return smtp.TRANSPORT.open(f"{scheme}://{USER}:{quote(password)}@127.0.0.1:{port}{query}", Path("unused"))


def to(address: str, subject: str = "Маша: в школе") -> Letter:
    return Letter(sender=FROM, to=address, subject=subject, text="x")


def test_a_letter_arrives_by_tls_with_password_and_can_be_read(sink: MailSink) -> None:
    mailer(sink.port).send(LETTER, NOW, message_id="00ff")
    (got,) = sink.got
    assert sink.secured == [True]
    assert sink.senders == ["alerts@ryadom.example"]
    assert got["Subject"] == "Маша: в школе"
    assert got["From"] == FROM
    assert got["To"] == "mama@example.org"
    assert got["Auto-Submitted"] == "auto-generated"
    assert got["Message-ID"] == "<00ff@ryadom.example>"
    assert got["Date"].datetime == NOW
    assert got.get_content().splitlines() == LETTER.text.splitlines()
    assert max(len(line) for line in sink.raw[0].splitlines()) <= 78
    assert sink.raw[0].isascii()


def test_a_repeat_has_the_same_message_id(sink: MailSink) -> None:
    for _ in range(2):
        mailer(sink.port).send(LETTER, NOW, message_id="00ff")
    assert [each["Message-ID"] for each in sink.got] == ["<00ff@ryadom.example>"] * 2


def test_tls_from_the_start_works_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with mail_sink(tmp_path, implicit=True) as sink:
        monkeypatch.setenv("SSL_CERT_FILE", str(sink.certificate))
        opened = smtp.TRANSPORT.open(f"smtps://localhost:{sink.port}", Path("unused"))
        opened.send(LETTER, NOW, message_id="1")
        assert len(sink.got) == 1


def test_a_recipient_refused_for_good_is_final_and_for_now_is_not(sink: MailSink) -> None:
    with pytest.raises(Refused, match="550"):
        mailer(sink.port).send(to("nobody@example.org"), NOW, message_id="1")
    with pytest.raises(Unavailable, match="451"):
        mailer(sink.port).send(to("later@example.org"), NOW, message_id="1")
    with pytest.raises(Refused, match="554"):
        mailer(sink.port).send(to("mama@example.org", "spam"), NOW, message_id="1")


def test_a_wrong_password_is_our_fault_and_not_the_letters(sink: MailSink) -> None:
    with pytest.raises(Unavailable, match="password: 535"):
        mailer(sink.port, password="wrong").send(LETTER, NOW, message_id="1")
    with pytest.raises(Unavailable, match="password: 535"):
        mailer(sink.port, password="wrong").probe()
    mailer(sink.port).probe()


def test_a_certificate_of_nobodys_is_not_trusted(sink: MailSink, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    with pytest.raises(Unavailable, match="certificate"):
        mailer(sink.port).send(LETTER, NOW, message_id="1")
    assert sink.got == []


def test_a_server_elsewhere_without_tls_gets_neither_letter_nor_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with mail_sink(tmp_path, tls=False) as sink:
        monkeypatch.setattr(smtp, "_THIS_MACHINE", frozenset())
        with pytest.raises(Unavailable, match="STARTTLS"):
            mailer(sink.port).send(LETTER, NOW, message_id="1")
        assert sink.got == []
        mailer(sink.port, query="?plain=1").send(LETTER, NOW, message_id="1")
        assert len(sink.got) == 1


@pytest.mark.parametrize("address", ["a@b.c\r\nBcc: x@y.z", "a@b.c, d@e.f", "nobody", "", "@"])
def test_what_is_no_address_is_refused_before_anything_goes_out(sink: MailSink, address: str) -> None:
    with pytest.raises(Refused, match="address"):
        mailer(sink.port).send(to(address), NOW, message_id="1")
    assert sink.got == []


def test_a_mailbox_in_cyrillic_is_written_to_where_the_server_can(sink: MailSink) -> None:
    mailer(sink.port).send(to("мама@пример.рф"), NOW, message_id="1")
    assert sink.got[0]["To"] == "мама@пример.рф"


def test_a_name_with_a_line_break_makes_no_header(sink: MailSink) -> None:
    mailer(sink.port).send(to("mama@example.org", "Маша\r\nBcc: x@y.z"), NOW, message_id="1")
    assert sink.got[0]["Subject"] == "Маша Bcc: x@y.z"
    assert sink.got[0]["Bcc"] is None


def test_nobody_there_is_worth_another_try() -> None:
    with pytest.raises(Unavailable):
        mailer(free_port()).send(LETTER, NOW, message_id="1")


@pytest.mark.parametrize(
    "drip", [b"220-" + b"x" * 1000 + b"\r\n", b"2"], ids=["endless answers", "one octet a time"]
)
def test_a_server_that_never_ends_is_given_up(drip: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smtp, "WHOLE_S", 1.0)
    sent = 0

    def say() -> None:
        nonlocal sent
        came, _ = server.accept()
        with came:
            try:
                while sent < 50_000_000:
                    came.sendall(drip)
                    sent += len(drip)
                    if len(drip) == 1:
                        time.sleep(0.05)
            except OSError:
                return

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=say)
        thread.start()
        with pytest.raises(Unavailable):
            mailer(server.getsockname()[1]).send(LETTER, NOW, message_id="1")
        thread.join(10)
        assert not thread.is_alive()
    assert sent < 20_000_000


def test_a02_nothing_of_the_letter_is_logged_or_in_an_error(
    sink: MailSink, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG, "tracker")
    said = ""
    for address in ("nobody@example.org", "later@example.org"):
        with pytest.raises((Refused, Unavailable)) as refused:
            mailer(sink.port).send(to(address), NOW, message_id="1")
        said += str(refused.value)
    output = capsys.readouterr()
    said += output.out + output.err
    assert not any(each in said for each in ("example.org", "Маша", PASSWORD))


def test_the_channel_composes_a_subject_a_text_and_a_link(sink: MailSink) -> None:
    channel = EmailChannel(
        registry.load("tracker.notify.mail", "TRANSPORT"),
        url=f"smtp://{USER}:{quote(PASSWORD)}@127.0.0.1:{sink.port}",
        sender=FROM,
        outbox_dir=Path("unused"),
    )
    args = {"type": "no such type", "subject": "Маша", "link": "https://ryadom.example/alerts/7", "data": {}}
    told = Notification(
        channel="email", kind="event", to="mama@example.org", locale="ru", expires_at=NOW, args=args
    )
    channel.send(told, NOW, message_id="7")
    (got,) = sink.got
    assert got["Subject"].startswith("Маша")
    assert "https://ryadom.example/alerts/7" in got.get_content()


def test_the_file_holds_one_json_line_a_letter(tmp_path: Path) -> None:
    opened = FILE.open("file", tmp_path / "outbox")
    opened.send(LETTER, NOW, message_id="1")
    path = tmp_path / "outbox" / "mail.jsonl"
    assert path.read_text() == (
        '{"at": "2026-11-21T09:00:00Z", "from": "Рядом <alerts@ryadom.example>", "to": "mama@example.org", '
        '"subject": "Маша: в школе", "text": "Маша в школе с 8:12.\\n"}\n'
    )
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("url", ["smtp://", "smtp://host:99999"])
def test_a_wrong_setting_is_told(url: str) -> None:
    with pytest.raises(Misconfigured, match="TRACKER_MAIL"):
        smtp.TRANSPORT.open(url, Path("unused"))


def test_certificates_are_checked_against_the_host() -> None:
    context = mailer(1)._tls
    assert context.check_hostname
    assert context.verify_mode == ssl.CERT_REQUIRED
