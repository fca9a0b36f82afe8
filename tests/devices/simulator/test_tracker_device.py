"""A native device against a real broker and a service that acknowledges what it keeps."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from devices.simulator.credentials import DeviceCredentials
from devices.simulator.drive import drive
from devices.simulator.tracker_device import Habits, Position, TrackerDevice
from tests.devices.simulator.fleet_of import address_of, device_on, positions
from tests.devices.simulator.service import acking_service
from tests.kit.broker import TestBroker
from tests.kit.waiting import until


def native(
    broker: TestBroker,
    credentials: DeviceCredentials,
    *,
    committed: list[Position] | None = None,
    habits: Habits | None = None,
    boot: str = "boot-1",
) -> TrackerDevice:
    kept: list[Position] = [] if committed is None else committed
    return TrackerDevice(
        broker=address_of(broker),
        credentials=credentials,
        boot=boot,
        habits=habits or Habits(patience_s=1.0),
        on_committed=kept.append,
    )


@contextmanager
def driven(device: TrackerDevice) -> Iterator[Callable[[], None]]:
    """Drive the device in a thread until the block ends; the value ends it earlier."""
    stop = threading.Event()
    thread = threading.Thread(target=lambda: drive([device], done=lambda _now_s: stop.is_set()))
    thread.start()

    def end() -> None:
        stop.set()
        thread.join()

    try:
        yield end
    finally:
        end()


def test_acknowledged_positions_leave_the_memory_in_order(broker: TestBroker) -> None:
    committed: list[Position] = []
    device = native(broker, device_on(broker), committed=committed)
    wanted = positions(50)
    for each in wanted:
        device.record(each)
    with acking_service(broker), driven(device):
        until(lambda: len(committed) == 50, "all positions to be acknowledged")
    assert committed == wanted
    assert len(device.buffer) == 0


def test_what_only_the_broker_took_is_kept(broker: TestBroker) -> None:
    device = native(broker, device_on(broker), habits=Habits(patience_s=60))
    for each in positions(20):
        device.record(each)
    with acking_service(broker, mute=True), driven(device):
        until(lambda: device.link.counts.broker_acked >= 20, "the broker to take all")
    assert len(device.buffer) == 20


def test_lost_acknowledgement_makes_the_device_send_again(broker: TestBroker) -> None:
    credentials = device_on(broker)
    committed: list[Position] = []
    device = native(broker, credentials, committed=committed)
    for each in positions(5):
        device.record(each)
    with acking_service(broker, mute=True) as service, driven(device):
        until(lambda: len(service.positions) == 5, "the positions to arrive")
        service.mute = False
        until(lambda: len(committed) == 5, "the repeated positions to be acknowledged")
        assert len(service.positions) == 5
        assert len(service.arrivals) > 5
        assert len(service.recorded(credentials.device_id)) == 5


def test_broker_that_forgets_what_it_took_costs_nothing(broker: TestBroker) -> None:
    committed: list[Position] = []
    device = native(broker, device_on(broker), committed=committed)
    wanted = positions(300)
    for each in wanted:
        device.record(each)
    with acking_service(broker, deaf=True) as service, driven(device):
        until(lambda: device.link.counts.broker_acked > 50, "the broker to take some")
        broker.kill9()
        service.deaf = False
        broker.start()
        until(lambda: len(committed) == 300, "all positions to be acknowledged")
    assert committed == wanted
    assert device.link.counts.losses >= 1


def test_first_message_of_a_new_connection_is_the_oldest_kept(broker: TestBroker) -> None:
    committed: list[Position] = []
    device = native(broker, device_on(broker), committed=committed, habits=Habits(window=10, patience_s=1.0))
    for each in positions(30):
        device.record(each)
    with acking_service(broker, mute=True) as service, driven(device):
        until(lambda: len(service.arrivals) == 10, "the first window")
        wire = device.link.socket
        assert wire is not None
        wire.shutdown(socket.SHUT_RDWR)
        until(lambda: len(service.arrivals) > 10, "the new connection's first position")
        assert service.arrivals[10][2] == 1
        service.mute = False
        until(lambda: len(committed) == 30, "all positions to be acknowledged")


def test_several_positions_share_a_message_oldest_first(broker: TestBroker) -> None:
    credentials = device_on(broker)
    committed: list[Position] = []
    device = native(broker, credentials, committed=committed, habits=Habits(per_message=20))
    for each in positions(45):
        device.record(each)
    with acking_service(broker) as service, driven(device):
        until(lambda: len(committed) == 45, "all positions to be acknowledged")
        bodies = [json.loads(body) for topic, body in service.messages if topic.endswith("/position")]
    assert [len(body) for body in bodies] == [20, 20, 5]
    times = [each["time"] for body in bodies for each in body]
    assert times == sorted(times)


def test_cbor_carries_the_same_positions(broker: TestBroker) -> None:
    credentials = device_on(broker, encoding="cbor")
    committed: list[Position] = []
    device = native(broker, credentials, committed=committed)
    for each in positions(3):
        device.record(each)
    with acking_service(broker) as service, driven(device):
        until(lambda: len(committed) == 3, "all positions to be acknowledged")
        topics = {topic for topic, _ in service.messages if "/position" in topic}
    assert topics == {f"tracker/{credentials.device_id[0]}/{credentials.device_id}/position/cbor"}
    assert service.recorded(credentials.device_id)[0] == "2026-03-01T12:00:00.000Z"


def test_device_says_online_and_in_the_end_offline(broker: TestBroker) -> None:
    credentials = device_on(broker)
    with acking_service(broker) as service:
        with driven(native(broker, credentials)):
            until(lambda: service.statuses(credentials.device_id) == [b"online"], "online")
        until(lambda: service.statuses(credentials.device_id) == [b"online", b"offline"], "offline")


def test_broker_says_offline_for_a_device_that_vanishes(broker: TestBroker) -> None:
    credentials = device_on(broker)
    device = native(broker, credentials)
    with acking_service(broker) as service, driven(device):
        until(lambda: service.statuses(credentials.device_id) == [b"online"], "online")
        wire = device.link.socket
        assert wire is not None
        wire.shutdown(socket.SHUT_RDWR)
        until(
            lambda: service.statuses(credentials.device_id) == [b"online", b"offline", b"online"],
            "the last will and the next sign-in",
        )


def test_device_with_a_wrong_password_keeps_trying_and_loses_nothing(broker: TestBroker) -> None:
    credentials = device_on(broker)
    broker.add(credentials.device_id, "another password")
    committed: list[Position] = []
    device = native(broker, credentials, committed=committed)
    for each in positions(2):
        device.record(each)
    with acking_service(broker), driven(device):
        until(lambda: device.link.counts.refused >= 2, "the broker to refuse")
        broker.add(credentials.device_id, credentials.password)
        until(lambda: len(committed) == 2, "all positions to be acknowledged")


def test_acknowledgement_that_is_no_json_changes_nothing(broker: TestBroker) -> None:
    credentials = device_on(broker)
    device = native(broker, credentials, habits=Habits(patience_s=60))
    for each in positions(2):
        device.record(each)
    for body in (b"", b"{", b"[]", b'{"boot":"boot-1"}', b'{"boot":"boot-1","seq":null}'):
        device.link._on_message(f"tracker/{credentials.shard}/{credentials.device_id}/ack", body)
    assert device.bad_acks == 5
    assert len(device.buffer) == 2
