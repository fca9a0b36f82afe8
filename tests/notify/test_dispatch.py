"""Emptying the outbox."""

import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import text

from tests.kit.clock import StandingClock
from tests.kit.waiting import until
from tests.notify.gateway import Gateway
from tests.notify.house import House, Sink
from tracker.domain.notification import Notification
from tracker.notify.channels._channel import Channel
from tracker.notify.dispatch import Dispatcher, retry_after
from tracker.store import outbox
from tracker.store.seal import Sealer
from tracker.store.session import Database

Put = Callable[..., str]


@pytest.fixture
def metrics() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def dispatcher(
    database: Database,
    sealer: Sealer,
    channels: dict[str, Channel],
    clock: StandingClock,
    metrics: CollectorRegistry,
) -> Dispatcher:
    return Dispatcher(database, sealer, channels, clock, metrics)


@pytest.fixture
def put(database: Database, sealer: Sealer, clock: StandingClock) -> Put:
    def record(to: str = "+79161234567", lives_s: float = 600, **given: str) -> str:
        notification = Notification(
            **{"channel": "sms", "kind": "own_code_changed", "locale": "ru", **given},  # type: ignore[arg-type]
            to=to,
            expires_at=clock() + timedelta(seconds=lives_s),
        )
        with database.begin() as session:
            return outbox.put(session, notification, sealer, clock())

    return record


@pytest.fixture
def outcome(database: Database) -> Callable[[str], str | None]:
    def of(outbox_id: str) -> str | None:
        query = text("SELECT outcome FROM outbox WHERE lpad(to_hex(outbox_id), 16, '0') = :id")
        with database.begin() as session:
            found: str | None = session.execute(query, {"id": outbox_id}).scalar_one()
            return found

    return of


def numbers(gateway: Gateway) -> list[str]:
    return [each.message["to"] for each in gateway.got]


def test_what_is_due_is_sent_once_and_forgotten(
    dispatcher: Dispatcher,
    put: Put,
    outcome: Callable[[str], str | None],
    sms_gateway: Gateway,
    clock: StandingClock,
    database: Database,
) -> None:
    sent = put()
    assert dispatcher.drain(clock()) == 1
    assert dispatcher.drain(clock.go_on(hours=1)) == 0
    assert numbers(sms_gateway) == ["+79161234567"]
    assert sms_gateway.got[0].headers["idempotency-key"] == sent
    assert outcome(sent) == "sent"
    with database.begin() as session:
        assert session.execute(text("SELECT count(*) FROM outbox WHERE sealed IS NOT NULL")).scalar_one() == 0


def test_r07_a_gateway_that_is_down_is_tried_again_ever_later(
    dispatcher: Dispatcher, put: Put, sms_gateway: Gateway, clock: StandingClock
) -> None:
    put()
    sms_gateway.status = 503
    tried = []
    begun = clock()
    for _ in range(200):
        if dispatcher.drain(clock()):
            tried.append((clock() - begun).total_seconds())
        clock.go_on(seconds=1)
    assert tried == [0, 2, 6, 14, 30, 62, 126]
    sms_gateway.status = 200
    clock.go_on(seconds=300)
    assert dispatcher.drain(clock()) == 1
    assert dispatcher.drain(clock.go_on(hours=1)) == 0


def test_the_waits_grow_to_five_minutes() -> None:
    waits = [retry_after(attempts).total_seconds() for attempts in (1, 2, 3, 8, 9, 50, 10**9)]
    assert waits == [2, 4, 8, 256, 300, 300, 300]


def test_what_the_gateway_refuses_is_not_tried_again(
    dispatcher: Dispatcher,
    put: Put,
    outcome: Callable[[str], str | None],
    sms_gateway: Gateway,
    clock: StandingClock,
) -> None:
    sms_gateway.status = 422
    refused = put()
    dispatcher.drain(clock())
    assert dispatcher.drain(clock.go_on(minutes=5)) == 0
    assert outcome(refused) == "refused: the SMS gateway answers 422"


def test_an_expired_notification_is_never_sent(
    dispatcher: Dispatcher,
    put: Put,
    outcome: Callable[[str], str | None],
    sms_gateway: Gateway,
    clock: StandingClock,
) -> None:
    late = put(lives_s=600)
    assert dispatcher.drain(clock.go_on(seconds=600)) == 0
    assert outcome(late) == "expired"
    assert sms_gateway.got == []


def test_one_failing_message_does_not_stall_the_rest(
    dispatcher: Dispatcher, put: Put, sms_gateway: Gateway, clock: StandingClock
) -> None:
    sms_gateway.by_number["+79160000000"] = 503
    put("+79160000000")
    for index in range(20):
        put(f"+7916111{index:04d}")
    while dispatcher.drain(clock()):
        pass
    assert sorted(numbers(sms_gateway)) == ["+79160000000", *(f"+7916111{index:04d}" for index in range(20))]


def test_the_longest_due_go_first(
    dispatcher: Dispatcher, put: Put, sms_gateway: Gateway, clock: StandingClock
) -> None:
    for index in range(24):
        put(f"+7916111{index:04d}")
        clock.go_on(seconds=1)
    for first in (0, 8, 16):
        dispatcher.drain(clock())
        assert sorted(numbers(sms_gateway)[first:]) == [
            f"+7916111{index:04d}" for index in range(first, first + 8)
        ]


@pytest.mark.parametrize(("channel", "kind"), [("pigeon", "own_code_changed"), ("sms", "pigeon")])
def test_what_nobody_can_send_is_settled_with_the_reason(
    dispatcher: Dispatcher,
    put: Put,
    outcome: Callable[[str], str | None],
    clock: StandingClock,
    channel: str,
    kind: str,
) -> None:
    strange = put(channel=channel, kind=kind)
    put()
    dispatcher.drain(clock())
    assert (outcome(strange) or "").startswith("refused: ")


def test_a_channel_with_a_fault_of_ours_stalls_nothing(
    database: Database,
    sealer: Sealer,
    channels: dict[str, Channel],
    put: Put,
    clock: StandingClock,
    sms_gateway: Gateway,
) -> None:
    class Broken:
        def send(self, *_: object, **__: object) -> None:
            raise ZeroDivisionError

        def close(self) -> None:
            """It holds nothing."""

    put(channel="broken")
    put()
    dispatcher = Dispatcher(database, sealer, {**channels, "broken": Broken()}, clock)
    assert dispatcher.drain(clock()) == 2
    assert len(sms_gateway.got) == 1
    assert dispatcher.drain(clock.go_on(seconds=2)) == 1


def test_a_notification_of_another_secret_key_stalls_nothing(
    database: Database,
    dispatcher: Dispatcher,
    put: Put,
    outcome: Callable[[str], str | None],
    clock: StandingClock,
) -> None:
    told = Notification(
        channel="sms",
        kind="own_code_changed",
        to="+7",
        locale="ru",
        expires_at=clock() + timedelta(hours=1),
    )
    with database.begin() as session:
        lost = outbox.put(session, told, Sealer("another secret of 32 characters!"), clock())
    good = put()
    dispatcher.drain(clock())
    assert (outcome(lost), outcome(good)) == ("unreadable", "sent")


def test_two_workers_send_each_notification_once(
    database: Database,
    sealer: Sealer,
    channels: dict[str, Channel],
    put: Put,
    clock: StandingClock,
    sms_gateway: Gateway,
) -> None:
    for index in range(40):
        put(f"+7916111{index:04d}")

    def drain_all() -> None:
        worker = Dispatcher(database, sealer, channels, clock)
        while worker.drain(clock()):
            pass

    threads = [threading.Thread(target=drain_all) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(numbers(sms_gateway)) == [f"+7916111{index:04d}" for index in range(40)]


def test_who_is_told_to_stop_takes_leave_of_every_gateway(house: House) -> None:
    stop = threading.Event()
    stop.set()
    house.dispatcher.run(stop)
    assert {name: each.closed for name, each in house.sinks.items()} == {"sms": 1, "email": 1, "webpush": 1}


def test_what_is_taken_up_while_it_is_told_to_stop_is_still_sent(
    house: House, database: Database, sealer: Sealer
) -> None:
    house.happen()
    house.alerting.decide(house.clock())
    stop, left = threading.Event(), threading.Event()

    class Leaving(Sink):
        def close(self) -> None:
            left.set()

    def clock() -> datetime:
        """Tell a lane that is about to take up what is due to stop; it goes on once the channel is closed."""
        if not stop.is_set():
            stop.set()
            left.wait(2)
        return house.clock()

    sms = Leaving("sms")
    Dispatcher(database, sealer, {"sms": sms}, clock).run(stop)
    assert len(sms.got) == 1


def test_outcomes_are_counted(
    dispatcher: Dispatcher,
    put: Put,
    sms_gateway: Gateway,
    clock: StandingClock,
    metrics: CollectorRegistry,
) -> None:
    sms_gateway.by_number.update({"+79160000001": 503, "+79160000002": 400})
    for to in ("+79160000000", "+79160000001", "+79160000002"):
        put(to)
    put(channel="pigeon")
    dispatcher.drain(clock())

    def count(channel: str, outcome: str) -> float | None:
        labels = {"channel": channel, "outcome": outcome}
        return metrics.get_sample_value("tracker_notifications_total", labels)

    assert [count("sms", each) for each in ("sent", "retried", "refused")] == [1, 1, 1]
    assert count("unknown", "refused") == 1


@pytest.fixture
def running(dispatcher: Dispatcher) -> Iterator[threading.Event]:
    stop = threading.Event()
    thread = threading.Thread(target=dispatcher.run, args=(stop,))
    thread.start()
    yield stop
    stop.set()
    thread.join(10)
    assert not thread.is_alive()


def test_a_running_worker_is_woken_by_a_new_notification(
    running: threading.Event, put: Put, sms_gateway: Gateway
) -> None:
    put()
    until(lambda: sms_gateway.got, "the message")
    put("+79160000000")
    until(lambda: len(sms_gateway.got) == 2, "the second message", timeout_s=10)


def test_a_running_worker_outlives_an_outage_of_the_database(
    running: threading.Event, put: Put, sms_gateway: Gateway, database: Database
) -> None:
    put()
    until(lambda: sms_gateway.got, "the message")
    cut = text(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    with database.begin() as session:
        session.execute(cut)
    put("+79160000000")
    until(lambda: len(sms_gateway.got) == 2, "the message after the outage")
