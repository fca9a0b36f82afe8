"""What a stranger's device may do at the real broker: nothing outside its own topics."""

from collections.abc import Iterator

import pytest

from tests.ingest.conftest import Start, add_device
from tests.ingest.device import Version, WireDevice
from tests.kit.broker import TestBroker
from tests.kit.waiting import until
from tracker.domain.clock import utc_now
from tracker.domain.ids import new_id
from tracker.ingest.topics import of_device
from tracker.store.positions import positions
from tracker.store.session import Database

NOT_AUTHORISED = 135
VERSIONS = pytest.mark.parametrize("version", [Version.MQTTv311, Version.MQTTv5], ids=["3.1.1", "5"])
GREEDY_FILTERS = (
    *("#", "+/#", "tracker/#", "owntracks/#", "tracker/+/+/position", "tracker/+/+/ack", "owntracks/+/+"),
    *("$SYS/#", "$share/ingest/tracker/+/+/position", "$share/g/#"),
)


@pytest.fixture
def owner_id(broker: TestBroker) -> str:
    """A device that minds its own business."""
    owner = new_id()
    broker.add(owner)
    return owner


@pytest.fixture
def stranger_id(broker: TestBroker) -> str:
    stranger = new_id()
    broker.add(stranger)
    return stranger


@pytest.fixture
def clients(broker: TestBroker) -> Iterator[list[WireDevice]]:
    """What a test signed in; signed off afterwards."""
    signed_in: list[WireDevice] = []
    yield signed_in
    for client in signed_in:
        client.close()


def sign_in(clients: list[WireDevice], broker: TestBroker, user: str, version: Version) -> WireDevice:
    clients.append(WireDevice(broker.port, user, broker.password(user), version))
    return clients[-1]


@VERSIONS
def test_a_stranger_hears_nothing_of_others_whatever_it_subscribes_to(
    broker: TestBroker, clients: list[WireDevice], owner_id: str, stranger_id: str, version: Version
) -> None:
    stranger = sign_in(clients, broker, stranger_id, version)
    for topic_filter in (
        *GREEDY_FILTERS,
        of_device("tracker", owner_id, "ack"),
        of_device("owntracks", owner_id),
    ):
        stranger.subscribe(topic_filter)
    owner = sign_in(clients, broker, owner_id, version)
    ingest = sign_in(clients, broker, "svc-ingest-0", version)
    for rest in (("position",), ("status",), ("result",)):
        owner.publish(owner.topic(*rest), b"mine")
    owner.publish(owner.topic(root="owntracks"), b"mine")
    ingest.publish(of_device("tracker", owner_id, "ack"), b"mine")
    ingest.publish(of_device("tracker", owner_id, "command"), b"mine")
    # What is for the stranger comes after all that on the same connection: then nothing else can be late.
    ingest.publish(of_device("tracker", stranger_id, "command"), b"yours")
    until(lambda: stranger.heard, "the stranger's own command")
    assert {payload for _, payload in stranger.heard} == {b"yours"}


@VERSIONS
def test_a_stranger_cannot_publish_for_others(
    broker: TestBroker, clients: list[WireDevice], owner_id: str, stranger_id: str, version: Version
) -> None:
    ingest = sign_in(clients, broker, "svc-ingest-0", version)
    ingest.subscribe("tracker/#")
    ingest.subscribe("owntracks/#")
    ingest.subscribe("gateway/#")
    owner = sign_in(clients, broker, owner_id, version)
    owner.subscribe(owner.topic("command"))
    owner.subscribe(owner.topic("ack"))
    stranger = sign_in(clients, broker, stranger_id, version)
    codes = [
        stranger.publish(topic, b"forged")
        for topic in (
            of_device("tracker", owner_id, "position"),
            of_device("tracker", owner_id, "position", "cbor"),
            of_device("tracker", owner_id, "status"),
            of_device("tracker", owner_id, "command"),
            of_device("tracker", owner_id, "ack"),
            of_device("owntracks", owner_id),
            of_device("owntracks", owner_id, "cmd"),
            of_device("gateway", owner_id),
            of_device("gateway", owner_id, "v3", "app", "devices", "collar", "up"),
            "gateway/x",
            of_device("tracker", stranger_id, "command"),
            of_device("tracker", stranger_id, "ack"),
            "tracker/x",
            "$SYS/broker/uptime",
        )
    ]
    if version == Version.MQTTv5:
        assert set(codes) <= {NOT_AUTHORISED}
    stranger.publish(stranger.topic("position"), b"own")
    until(lambda: ingest.heard, "the stranger's own position")
    assert ingest.heard == [(stranger.topic("position"), b"own")]
    assert owner.heard == []


@VERSIONS
def test_a_shared_subscription_takes_nothing_from_ingest(
    broker: TestBroker,
    database: Database,
    clients: list[WireDevice],
    stranger_id: str,
    start_ingest: Start,
    version: Version,
) -> None:
    with database.begin() as session:
        device = add_device(session)
    broker.add(device.device_id)
    stranger = sign_in(clients, broker, stranger_id, version)
    stranger.subscribe("$share/ingest/tracker/+/+/position")
    stranger.subscribe("$share/svc-ingest-0/tracker/+/+/position")
    start_ingest()
    owner = sign_in(clients, broker, device.device_id, version)
    begin = int(utc_now().timestamp()) - 100
    for second in range(40):
        owner.publish(owner.topic("position"), {"time": begin + second, "lat": 55, "lon": 37})

    def count() -> int:
        with database.begin() as session:
            return len(session.execute(positions.select()).all())

    until(lambda: count() == 40, "every position")
    assert stranger.heard == []


@VERSIONS
def test_the_client_id_of_another_does_not_end_its_session(
    broker: TestBroker, clients: list[WireDevice], owner_id: str, stranger_id: str, version: Version
) -> None:
    owner = sign_in(clients, broker, owner_id, version)
    clients.append(
        WireDevice(broker.port, stranger_id, broker.password(stranger_id), version, client_id=owner_id)
    )
    clients[-1].publish(of_device("tracker", stranger_id, "position"), b"own")
    owner.publish(owner.topic("position"), b"still here")
    assert owner.connections == 1


@VERSIONS
def test_nobody_signs_in_without_or_with_a_wrong_password(
    broker: TestBroker, clients: list[WireDevice], owner_id: str, version: Version
) -> None:
    for user, password in ((owner_id, "wrong"), ("", ""), ("svc-ingest-0", ""), (new_id(), "x")):
        clients.append(WireDevice(broker.port, user, password, version))
        assert clients[-1].refused


@VERSIONS
def test_a_device_that_lost_its_rights_is_out_at_once(
    broker: TestBroker, clients: list[WireDevice], owner_id: str, version: Version
) -> None:
    owner = sign_in(clients, broker, owner_id, version)
    password = broker.password(owner_id)
    broker.remove(owner_id)
    until(lambda: owner.disconnected, "the broker to end the session", timeout_s=5)
    clients.append(WireDevice(broker.port, owner_id, password, version))
    assert clients[-1].refused
