"""Messages that the broker throws away are counted and told."""

import threading

from prometheus_client import CollectorRegistry

from tests.kit.broker import TestBroker
from tests.kit.waiting import until
from tracker.ingest.client import BrokerAddress
from tracker.ingest.drop_watch import DROPPED, DropWatch

NOBODY = BrokerAddress(host="127.0.0.1", port=1, tls=False, username="x", password="x")


def counted(registry: CollectorRegistry) -> float:
    return registry.get_sample_value("tracker_broker_dropped_messages_total") or 0.0


def test_only_growth_counts_and_a_restarted_broker_begins_anew() -> None:
    registry = CollectorRegistry()
    watch = DropWatch(NOBODY, registry)
    for payload in (b"7", b"7", b"9", b"0", b"3", b"x", b""):
        watch.hear(payload)
    assert counted(registry) == 2 + 3


def test_the_broker_s_own_count_is_heard(broker: TestBroker) -> None:
    registry = CollectorRegistry()
    heard: list[bytes] = []

    class Listening(DropWatch):
        def hear(self, payload: bytes) -> None:
            heard.append(payload)

    address = BrokerAddress(
        host="127.0.0.1",
        port=broker.port,
        tls=False,
        username="svc-monitor",
        password=broker.password("svc-monitor"),
    )
    stop = threading.Event()
    thread = threading.Thread(target=Listening(address, registry).run, args=(stop,))
    thread.start()
    try:
        until(lambda: heard, f"the broker's {DROPPED}", timeout_s=60)
        assert heard[0].isdigit()
    finally:
        stop.set()
        thread.join(30)
