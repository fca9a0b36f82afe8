"""A running ingest between a real broker and a real database."""

import os
import signal
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Any

import pytest
from sqlalchemy import text

from tests.ingest import process
from tests.ingest.conftest import Start, add_device
from tests.ingest.device import WireDevice, wire_device
from tests.kit.broker import TestBroker
from tests.kit.waiting import until
from tracker.domain.clock import utc_now
from tracker.domain.device import Device
from tracker.domain.position import Placed
from tracker.store.session import Database, Session

BEGIN = int(utc_now().timestamp()) - 7200
Query = Callable[[str], Any]


@pytest.fixture
def device(database: Database, broker: TestBroker) -> Device:
    """A device that the broker knows."""
    with database.begin() as session:
        made = add_device(session)
    broker.add(made.device_id)
    return made


@pytest.fixture
def query(database: Database) -> Query:
    """Ask the database for one value."""

    def ask(statement: str) -> Any:
        with database.begin() as session:
            return session.execute(text(statement)).scalar()

    return ask


def sign_in(broker: TestBroker, device: Device) -> WireDevice:
    return WireDevice(broker.port, device.device_id, broker.password(device.device_id))


def fix(second: int, **members: Any) -> dict[str, Any]:
    return {"time": BEGIN + second, "lat": 55.0, "lon": 37.0, **members}


def stream(first: int, last: int) -> list[dict[str, Any]]:
    return [fix(seq, boot="b", seq=seq) for seq in range(first, last + 1)]


def stored(query: Query) -> int:
    return int(query("SELECT count(*) FROM positions"))


def test_a_published_position_is_stored_and_then_acknowledged(
    broker: TestBroker, device: Device, query: Query, start_ingest: Start
) -> None:
    start_ingest()
    with wire_device(broker.port, device.device_id, broker.password(device.device_id)) as tracker:
        tracker.subscribe(tracker.topic("ack"))
        tracker.publish(tracker.topic("position"), fix(1, boot="b", seq=1))
        until(lambda: tracker.acked("b") == 1, "the acknowledgement")
        assert stored(query) == 1


def test_poison_between_good_ones_stops_nothing(
    broker: TestBroker, device: Device, query: Query, start_ingest: Start
) -> None:
    ingest = start_ingest()
    with wire_device(broker.port, device.device_id, broker.password(device.device_id)) as tracker:
        tracker.subscribe(tracker.topic("ack"))
        for number, position in enumerate(stream(1, 30)):
            tracker.publish(tracker.topic("position"), position)
            tracker.publish(tracker.topic("position"), os.urandom(50) + b"\xff")
            if number % 10 == 0:
                tracker.publish(tracker.topic("result"), b"[" * 9000)
        until(lambda: tracker.acked("b") == 30, "the last acknowledgement")
    assert stored(query) == 30
    until(lambda: ingest.counted("refused_total", reason="not_json") >= 3, "the poison to be counted")


def test_what_came_while_ingest_was_away_is_taken_afterwards(
    broker: TestBroker, device: Device, query: Query, start_ingest: Start
) -> None:
    start_ingest().stop()
    with wire_device(broker.port, device.device_id, broker.password(device.device_id)) as tracker:
        for position in stream(1, 50):
            tracker.publish(tracker.topic("position"), position)
        assert stored(query) == 0
        start_ingest()
        until(lambda: stored(query) == 50, "the backlog")


def test_a_retained_message_is_not_replayed_to_a_new_ingest(
    broker: TestBroker, device: Device, query: Query, start_ingest: Start
) -> None:
    with wire_device(broker.port, device.device_id, broker.password(device.device_id)) as tracker:
        tracker.publish(tracker.topic("position"), fix(1), retain=True)
        start_ingest()
        tracker.publish(tracker.topic("position"), fix(2))
        until(lambda: stored(query) >= 1, "the live position")
    assert stored(query) == 1


def test_a_restarted_broker_is_found_again(
    broker: TestBroker, device: Device, query: Query, start_ingest: Start
) -> None:
    ingest = start_ingest()
    broker.restart()
    until(ingest.ingest.connected.is_set, "ingest to connect again")
    tracker = sign_in(broker, device)

    def arrives() -> bool:
        # The first connection may not have noticed the restart yet: publish until one comes through.
        tracker.publish(tracker.topic("position"), fix(1))
        return stored(query) == 1

    until(arrives, "a position after the restart")
    tracker.close()


def keeps_up(query: Query, seq: int) -> bool:
    return stored(query) >= seq - 10


def test_a_lost_database_connection_loses_no_message(
    broker: TestBroker, device: Device, database: Database, query: Query, start_ingest: Start
) -> None:
    cuts = [5, 12]

    def cut(session: Session, placed: Sequence[Placed], _heard: object, _now: datetime) -> None:
        if cuts and len(placed) and stored(query) >= cuts[0]:
            cuts.pop(0)
            session.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))

    start_ingest(cut)
    with wire_device(broker.port, device.device_id, broker.password(device.device_id)) as tracker:
        tracker.subscribe(tracker.topic("ack"))
        for position in stream(1, 40):
            tracker.publish(tracker.topic("position"), position)
            until(partial(keeps_up, query, position["seq"]), "ingest to keep up")
        until(lambda: tracker.acked("b") == 40, "the last acknowledgement")
    assert not cuts
    assert stored(query) == 40


def test_an_ingest_that_is_killed_again_and_again_loses_and_doubles_nothing(
    fresh_database: str, broker: TestBroker, device: Device, query: Query
) -> None:
    running = process.start(fresh_database, broker)
    try:
        with wire_device(broker.port, device.device_id, broker.password(device.device_id)) as tracker:
            tracker.subscribe(tracker.topic("ack"))

            def heard() -> bool:
                tracker.publish(tracker.topic("position"), fix(1, boot="b", seq=1))
                return stored(query) == 1

            until(heard, "the first ingest to subscribe")
            for turn in range(3):
                for position in stream(2 + 100 * turn, 101 + 100 * turn):
                    tracker.publish(tracker.topic("position"), position)
                running.send_signal(signal.SIGKILL)
                running.wait()
                running = process.start(fresh_database, broker)
            until(lambda: tracker.acked("b") == 301, "the last acknowledgement", timeout_s=60)
    finally:
        running.kill()
        running.wait()
    assert stored(query) == 301
    assert query("SELECT received = int8multirange(int8range(1, 302)) FROM streams") is True
