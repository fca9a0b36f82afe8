"""Web push to a service that verifies and opens it with the code of others."""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import text

from tests.kit.clock import StandingClock
from tests.kit.push_sink import Browser, PushSink, push_sink
from tests.notify.moments import NOW
from tracker.domain.errors import Invalid, Refused, Unavailable
from tracker.domain.notification import Notification
from tracker.domain.rule import Urgency
from tracker.notify.channels import _push_service
from tracker.notify.channels._push_message import (
    PAYLOAD_BYTES,
    VapidKey,
    b64,
    check_subscription,
    encrypt,
    unb64,
)
from tracker.notify.channels._push_service import NotPublic, PushService
from tracker.notify.channels.webpush import WebPushChannel
from tracker.notify.compose import event_args
from tracker.store import accounts, contacts, push_subscriptions
from tracker.store.seal import Sealer
from tracker.store.session import Database

SUBJECT = "mailto:alerts@ryadom.example"
Subscribe = Callable[..., Browser]


@pytest.fixture
def sink(tmp_path: Path) -> Iterator[PushSink]:
    with push_sink(tmp_path) as started:
        yield started


@pytest.fixture
def key() -> VapidKey:
    return VapidKey.new()


@pytest.fixture
def channel(database: Database, sealer: Sealer, key: VapidKey, sink: PushSink) -> Iterator[WebPushChannel]:
    tls = ssl.create_default_context(cafile=sink.certificate)
    made = WebPushChannel(database, sealer, key, SUBJECT, tls, private_allowed=True)
    yield made
    made.close()


@pytest.fixture
def ids(database: Database, clock: StandingClock) -> tuple[str, str]:
    """An account and its owner's contact."""
    with database.begin() as session:
        account = accounts.open_account(session, phone="+79161234567", locale="ru", region="RU", now=clock())
        (owner, *_) = contacts.of_account(session, account.account_id, clock())
    return account.account_id, owner.contact_id


@pytest.fixture
def subscribe(
    database: Database, sealer: Sealer, ids: tuple[str, str], sink: PushSink, clock: StandingClock
) -> Subscribe:
    def add(name: str = "one") -> Browser:
        browser = Browser()
        with database.begin() as session:
            push_subscriptions.add(
                session,
                sealer,
                *ids,
                endpoint=sink.endpoint(name),
                p256dh=browser.p256dh,
                auth=browser.auth,
                agent="Firefox",
                now=clock.go_on(seconds=1),
            )
        return browser

    return add


def told(ids: tuple[str, str], *, subject: str = "Маша", urgency: Urgency = Urgency.ALARM) -> Notification:
    args = event_args(
        event_type="no such type",
        subject=subject,
        place=None,
        rule=None,
        at=NOW.isoformat(),
        earliest=None,
        told_at=NOW.isoformat(),
        time_zone="UTC",
        data={},
        link="https://ryadom.example/alerts/7",
        step=0,
    )
    return Notification(
        channel="webpush",
        kind="event",
        to=ids[1],
        locale="ru",
        expires_at=NOW + timedelta(hours=1),
        args=args,
        account_id=ids[0],
        urgency=urgency,
        alert_id="00000000000000a7",
    )


def send(channel: WebPushChannel, ids: tuple[str, str]) -> None:
    channel.send(told(ids), NOW, message_id="00ff")


def left(database: Database) -> int:
    with database.begin() as session:
        count: int = session.execute(text("SELECT count(*) FROM push_subscriptions")).scalar_one()
        return count


def test_the_vector_of_rfc_8291_appendix_a() -> None:
    body = encrypt(
        b"When I grow up, I want to be a watermelon",
        "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
        "BTBZMqHH6r4Tts7J_aSIgg",
        salt=unb64("DGv6ra1nlYgDCS1FRnbzlw"),
        own=ec.derive_private_key(
            int.from_bytes(unb64("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"), "big"), ec.SECP256R1()
        ),
    )
    assert b64(body) == (
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6Tlz"
        "AC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
    )


def test_the_longest_payload_fits_in_one_record_and_a_longer_one_is_none() -> None:
    browser = Browser()
    assert len(encrypt(b"1" * PAYLOAD_BYTES, browser.p256dh, browser.auth)) == 4096
    assert browser.open(encrypt(b"1" * PAYLOAD_BYTES, browser.p256dh, browser.auth))
    with pytest.raises(ValueError, match="too long"):
        encrypt(b"1" * (PAYLOAD_BYTES + 1), browser.p256dh, browser.auth)


def test_an_alert_reaches_every_browser_of_the_contact(
    channel: WebPushChannel, subscribe: Subscribe, ids: tuple[str, str], sink: PushSink, key: VapidKey
) -> None:
    browsers = [subscribe("phone"), subscribe("computer")]
    send(channel, ids)
    assert [each.path for each in sink.got] == ["/phone", "/computer"]
    for browser, got in zip(browsers, sink.got, strict=True):
        shown = browser.open(got.body)
        assert shown["title"].startswith("Маша")
        assert shown["url"] == "https://ryadom.example/alerts/7"
        assert (shown["tag"], shown["urgency"]) == ("00000000000000a7", "alarm")
        assert got.key == key.public
        assert got.claims == {
            "aud": sink.url,
            "exp": int((NOW + timedelta(hours=12)).timestamp()),
            "sub": SUBJECT,
        }
        wanted = {
            "ttl": "3600",
            "urgency": "high",
            "topic": "00000000000000a7",
            "content-encoding": "aes128gcm",
        }
        assert wanted.items() <= got.headers.items()


@pytest.mark.parametrize("name", ["gone", "missing"])
def test_a_subscription_that_ended_is_removed_and_the_others_are_told(
    channel: WebPushChannel, subscribe: Subscribe, ids: tuple[str, str], database: Database, name: str
) -> None:
    subscribe(name)
    subscribe("phone")
    send(channel, ids)
    assert left(database) == 1


def test_without_any_subscription_left_it_is_final(
    channel: WebPushChannel, subscribe: Subscribe, ids: tuple[str, str], database: Database
) -> None:
    subscribe("gone")
    with pytest.raises(Refused, match="ended"):
        send(channel, ids)
    assert left(database) == 0
    with pytest.raises(Refused, match="no browser"):
        send(channel, ids)


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("busy", Unavailable),
        ("broken", Unavailable),
        ("large", Refused),
        ("moved", Refused),
        ("not-ours", Refused),
    ],
)
def test_what_the_service_answers_decides_whether_it_is_tried_again(
    channel: WebPushChannel,
    subscribe: Subscribe,
    ids: tuple[str, str],
    database: Database,
    sink: PushSink,
    name: str,
    error: type[Exception],
) -> None:
    subscribe(name)
    with pytest.raises(error, match="answers"):
        send(channel, ids)
    assert left(database) == 1
    assert len(sink.got) == 1, "a redirect was followed"


def test_one_browser_that_is_busy_does_not_make_the_other_hear_twice(
    channel: WebPushChannel, subscribe: Subscribe, ids: tuple[str, str], sink: PushSink
) -> None:
    subscribe("busy")
    subscribe("phone")
    send(channel, ids)
    assert len(sink.got) == 2


def test_a_long_text_is_shortened_and_not_lost(
    channel: WebPushChannel, subscribe: Subscribe, ids: tuple[str, str], sink: PushSink
) -> None:
    browser = subscribe()
    items = [{**told(ids, subject=f"Имя {number} " + "🚗" * 400).args} for number in range(5)]
    many = Notification(
        channel="webpush",
        kind="events",
        to=ids[1],
        locale="ru",
        expires_at=NOW,
        args={"items": items, "link": "https://ryadom.example/" + "a" * 500},
        account_id=ids[0],
    )
    channel.send(many, NOW, message_id="1")
    assert browser.open(sink.got[0].body)["title"]


def test_a_certificate_of_nobodys_is_not_trusted(
    database: Database,
    sealer: Sealer,
    key: VapidKey,
    subscribe: Subscribe,
    ids: tuple[str, str],
    sink: PushSink,
) -> None:
    subscribe()
    channel = WebPushChannel(
        database, sealer, key, SUBJECT, ssl.create_default_context(), private_allowed=True
    )
    with pytest.raises(Unavailable):
        send(channel, ids)
    channel.close()
    assert sink.got == []


# --- an endpoint is an address that a browser gave: anybody's ---


@pytest.mark.parametrize(
    "host", ["localhost", "127.0.0.1", "[::1]", "10.1.2.3", "169.254.169.254", "[::ffff:127.0.0.1]"]
)
def test_s01_nothing_in_a_private_network_is_called(host: str, sink: PushSink) -> None:
    service = PushService(ssl.create_default_context(), private_allowed=False)
    port = sink.url.rpartition(":")[2]
    with pytest.raises(NotPublic):
        service.post(f"https://{host}:{port}/one", {}, b"x")
    service.close()
    assert sink.got == []


def test_a_service_that_sends_octet_by_octet_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_push_service, "WHOLE_S", 1.0)

    def drip() -> None:
        came, _ = server.accept()
        with came:
            try:
                while True:
                    came.sendall(b"H")
                    time.sleep(0.05)
            except OSError:
                return

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=drip)
        thread.start()
        service = PushService(ssl.create_default_context(), private_allowed=True)
        begun_s = time.monotonic()
        with pytest.raises(Unavailable):
            service.post(f"http://127.0.0.1:{server.getsockname()[1]}/", {}, b"x")
        assert time.monotonic() - begun_s < 5
        service.close()
        thread.join(10)


@pytest.mark.parametrize(
    "answer", [b"\x16\x03nonsense\r\n\r\n", b"HTTP/1.1 201 OK\r\nA: " + b"x" * 300_000, b""]
)
def test_an_answer_of_nonsense_is_worth_another_try(answer: bytes) -> None:
    def reply() -> None:
        came, _ = server.accept()
        with came:
            came.recv(65536)
            try:
                came.sendall(answer)
            except OSError:
                return

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=reply)
        thread.start()
        service = PushService(ssl.create_default_context(), private_allowed=True)
        with pytest.raises(Unavailable):
            service.post(f"http://127.0.0.1:{server.getsockname()[1]}/", {}, b"x")
        service.close()
        thread.join(10)


GOOD = Browser()


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://push.example/x",
        "https://127.0.0.1/x",
        "https://localhost/x",
        "https://me:secret@push.example/x",
        "https://push.example/a b",
        "https://push.example/\nHost: x",
        "https://push.example:99999/",
        "https:///x",
        "ftp://push.example/",
        "https://push.example/" + "a" * 2100,
        "",
    ],
)
def test_an_address_that_is_no_push_services_cannot_be_subscribed(endpoint: str) -> None:
    with pytest.raises(Invalid, match="endpoint"):
        check_subscription(endpoint, GOOD.p256dh, GOOD.auth)


# Keys are made anew in each process: they may not name the cases.
@pytest.mark.parametrize(
    "p256dh", ["", "AA", b64(b"\4" + b"\1" * 64), "ключ", GOOD.p256dh[:-4], GOOD.auth], ids=range(6)
)
def test_a_point_off_the_curve_cannot_be_subscribed(p256dh: str) -> None:
    with pytest.raises(Invalid, match="p256dh"):
        check_subscription("https://push.example/x", p256dh, GOOD.auth)


@pytest.mark.parametrize("auth", ["", "AA", "%%%", GOOD.p256dh], ids=range(4))
def test_a_secret_of_another_length_cannot_be_subscribed(auth: str) -> None:
    with pytest.raises(Invalid, match=r"keys\.auth"):
        check_subscription("https://push.example/x", GOOD.p256dh, auth)


def test_what_a_browser_gives_can_be_subscribed() -> None:
    check_subscription("https://push.example/wpush/v2/gAAAA", GOOD.p256dh, GOOD.auth)


def test_a_key_is_read_as_it_was_written() -> None:
    made = VapidKey.new()
    assert VapidKey.of_pem(made.pem).public == made.public
    for wrong in ("", "x", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"):
        with pytest.raises(ValueError, match=r".+"):
            VapidKey.of_pem(wrong)
