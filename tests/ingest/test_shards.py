"""Several ingest processes divide the topics; the work of one that dies goes on under the others."""

import signal

import pytest
from sqlalchemy import text

from tests.ingest.conftest import RunningIngest, add_device
from tests.ingest.device import WireDevice, wire_device
from tests.ingest.process import started
from tests.kit.broker import TestBroker
from tests.kit.waiting import until
from tracker.domain.clock import utc_now
from tracker.domain.device import Device
from tracker.domain.ids import new_id
from tracker.store.leases import SLOTS
from tracker.store.session import Database

BEGIN = int(utc_now().timestamp()) - 7200


@pytest.fixture
def fleet(database: Database, broker: TestBroker) -> list[Device]:
    """One device in each of the sixteen shards."""
    made = []
    for shard in "0123456789abcdef":
        with database.begin() as session:
            made.append(add_device(session, device_id=shard + new_id()[1:]))
    for device in made:
        broker.add(device.device_id)
    return made


def shares(database: Database) -> list[int]:
    """How many slots each process holds, the smallest first."""
    with database.begin() as session:
        rows = session.execute(
            text(
                "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = :slots"
                " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
                " GROUP BY pid ORDER BY 1"
            ),
            {"slots": SLOTS},
        )
        return [row[0] for row in rows]


def stored(database: Database) -> int:
    with database.begin() as session:
        return int(session.execute(text("SELECT count(*) FROM positions")).scalar_one())


def publish(devices: list[WireDevice], first: int, last: int) -> None:
    for seq in range(first, last + 1):
        for device in devices:
            fix = {"time": BEGIN + seq, "lat": 55.0, "lon": 37.0, "boot": "b", "seq": seq}
            device.publish(device.topic("position"), fix)


def test_two_processes_share_and_one_takes_over_what_the_other_had(
    fresh_database: str, database: Database, broker: TestBroker, fleet: list[Device]
) -> None:
    with (
        started(fresh_database, broker, slots=4),
        started(fresh_database, broker, slots=4) as second,
    ):
        until(lambda: shares(database) == [2, 2], "equal shares")
        tracked = [
            wire_device(broker.port, each.device_id, broker.password(each.device_id)) for each in fleet
        ]
        devices = [each.__enter__() for each in tracked]
        try:
            for device in devices:
                device.subscribe(device.topic("ack"))

            def heard() -> bool:
                publish(devices, 1, 1)
                return stored(database) == len(fleet)

            until(heard, "every shard to be served")
            publish(devices, 2, 20)
            second.send_signal(signal.SIGKILL)
            publish(devices, 21, 40)
            until(lambda: all(each.acked("b") == 40 for each in devices), "every device's last position")
        finally:
            for each in tracked:
                each.__exit__(None, None, None)
        assert shares(database) == [4]
    assert stored(database) == 40 * len(fleet)


def test_a_newcomer_is_given_its_share(fresh_database: str, database: Database, broker: TestBroker) -> None:
    first = RunningIngest(fresh_database, broker, slots=4)
    try:
        until(lambda: shares(database) == [4], "the first to have all")
        with started(fresh_database, broker, slots=4):
            until(lambda: shares(database) == [2, 2], "equal shares")
            until(first.ingest.connected.is_set, "the first to go on with its half")
        until(lambda: shares(database) == [4], "the first to have all again")
    finally:
        first.stop()
    assert shares(database) == []


def test_a_process_that_hangs_is_relieved(
    fresh_database: str, database: Database, broker: TestBroker
) -> None:
    with started(fresh_database, broker, slots=4) as hanging:
        until(lambda: shares(database) == [4], "the first to have all")
        hanging.send_signal(signal.SIGSTOP)
        other = RunningIngest(fresh_database, broker, slots=4)
        try:
            until(
                lambda: shares(database) == [4] and other.ingest.connected.is_set(), "the other to have all"
            )
        finally:
            other.stop()
            hanging.send_signal(signal.SIGCONT)
