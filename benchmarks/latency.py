"""From publishing to the commit, at 1,000, 5,000 and 10,000 positions a second.

Each message carries the moment it was published as that of its position; the database tells the moment of
the commit (track_commit_timestamp: when the commit record was made, its flush to the disk comes on top). The
floors of the same run: the same messages through the same broker and client with nothing behind it, and COPY
with its commit, as seen by the client, of as many rows as come in 20 ms.
"""

import multiprocessing
import statistics
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection as Pipe
from multiprocessing.synchronize import Event

import psycopg

from benchmarks._fleet import (
    LISTENER,
    PASSWORD,
    PEER_ROOT,
    PUBLISHER,
    fixes_of,
    payload,
    running_ingest,
    servers_with_family,
    wait_for,
)
from benchmarks._publisher import publish_paced
from benchmarks._result import Options, Result, median
from benchmarks._servers import Servers
from benchmarks.ingest import Link, copy_chunk, copy_rows, empty
from tracker.domain.clock import utc_now
from tracker.domain.device import Device
from tracker.ingest.alarm import Alarm
from tracker.ingest.arrived import Arrived
from tracker.ingest.client import BrokerAddress, open_connection, wait
from tracker.ingest.topics import of_device

RATES_PER_S = (1_000, 5_000, 10_000)
SECONDS = 4
LINGER_S = 0.02
COPIES = 50
PARTS = {"p50": 50, "p95": 95, "p99": 99}

Messages = Sequence[tuple[str, bytes]]


class LatencyBenchmark:
    """`tracker bench latency`; `size` is how many positions a second, instead of the three rates."""

    name = "latency"

    def run(self, options: Options) -> Result:
        """Measure on private servers; of several rounds the median is given."""
        rates = (options.size,) if options.size else RATES_PER_S
        seen: dict[str, list[float]] = {}
        bare: dict[str, list[float]] = {}
        with (
            servers_with_family() as (servers, family),
            psycopg.connect(servers.database_url, autocommit=True) as link,
            running_ingest(servers),
        ):
            for _ in range(options.rounds):
                for rate in rates:
                    _note(bare, f"mqtt_{rate}_per_s", _echo_ms(servers, family, rate))
                    _note(bare, f"copy_{rate}_per_s", _copy_ms(link, family, rate))
                    empty(link)
                    _note(seen, f"commit_{rate}_per_s", _commit_ms(servers, link, family, rate))
        figures = {label: median(values) for label, values in seen.items()}
        floors = {label: median(values) for label, values in bare.items()}
        ratios = {
            f"p99_{rate}_per_s_to_mqtt_and_copy": round(
                figures[f"commit_{rate}_per_s_p99_ms"]
                / (floors[f"mqtt_{rate}_per_s_p99_ms"] + floors[f"copy_{rate}_per_s_p99_ms"]),
                3,
            )
            for rate in rates
        }
        return Result(name=self.name, figures=figures, floors=floors, ratios=ratios)


def _note(into: dict[str, list[float]], label: str, values_ms: Sequence[float]) -> None:
    cuts = statistics.quantiles(values_ms, n=100, method="inclusive")
    for part, percent in PARTS.items():
        into.setdefault(f"{label}_{part}_ms", []).append(cuts[percent - 1])


def _messages(family: Sequence[Device], rate: int, root: str) -> list[tuple[str, bytes]]:
    written = [
        (of_device(root, device.device_id), payload(at, 0).replace(b'"tst":0', b'"tst":@'))
        for device, _, at in fixes_of(family, len(family))
    ]
    return [written[number % len(written)] for number in range(rate * SECONDS)]


def _commit_ms(servers: Servers, link: Link, family: Sequence[Device], rate: int) -> list[float]:
    messages = _messages(family, rate, "owntracks")
    _publish(servers, messages, rate)
    stored = "SELECT count(*) FROM positions"
    wait_for(lambda: link.execute(stored).fetchone() == (len(messages),), "the positions")
    taken = "extract(epoch FROM pg_xact_commit_timestamp(xmin) - recorded_at)::float8 * 1000"
    rows = link.execute(f"SELECT {taken} FROM positions")  # noqa: S608 - no input
    return [float(str(row[0])) for row in rows]


def _publish(servers: Servers, messages: Messages, rate: int) -> None:
    address = ("127.0.0.1", servers.broker.port, PUBLISHER, PASSWORD)
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        pool.apply_async(publish_paced, (*address, messages, rate)).get(timeout=SECONDS * 20)


def _copy_ms(link: Link, family: Sequence[Device], rate: int) -> list[float]:
    rows = max(1, int(rate * LINGER_S))
    taken = []
    empty(link)
    fixes = fixes_of(family, rows * COPIES)
    for number in range(COPIES):
        chunk = copy_chunk(fixes[number * rows : (number + 1) * rows])
        began_s = time.perf_counter()
        copy_rows(link, chunk)
        taken.append((time.perf_counter() - began_s) * 1000)
    return taken


def _echo_ms(servers: Servers, family: Sequence[Device], rate: int) -> list[float]:
    """Return how long each message took to our client with nothing behind it."""
    messages = _messages(family, rate, PEER_ROOT)
    spawn = multiprocessing.get_context("spawn")
    ready, (mine, theirs) = spawn.Event(), spawn.Pipe()
    listener = spawn.Process(target=_listen, args=(servers.broker.port, len(messages), ready, theirs))
    listener.start()
    try:
        if not ready.wait(30):
            raise TimeoutError("the listener did not connect")
        _publish(servers, messages, rate)
        if not mine.poll(60):
            raise TimeoutError("the listener did not get every message")
        taken: list[float] = mine.recv()
        return taken
    finally:
        listener.kill()
        listener.join()


def _listen(port: int, wanted: int, ready: Event, told: Pipe) -> None:
    address = BrokerAddress(host="127.0.0.1", port=port, tls=False, username=LISTENER, password=PASSWORD)
    arrived: list[Arrived] = []
    alarm = Alarm()
    topics = [f"{PEER_ROOT}/#"]
    connection = open_connection(address, 1, topics, arrived.extend, utc_now, unacknowledged=6000)
    ready.set()
    acknowledged = 0
    while len(arrived) < wanted:
        wait([connection], 1.0, read=lambda _: True, wake=[alarm])
        connection.read(lambda: False)
        for each in arrived[acknowledged:]:
            connection.acknowledge(each.ack_id)
        acknowledged = len(arrived)
        connection.turn()
    told.send([_since_published_ms(each) for each in arrived])


def _since_published_ms(arrived: Arrived) -> float:
    _, _, behind = arrived.payload.partition(b'"tst":')
    return (arrived.received_at.timestamp() - float(behind.partition(b",")[0])) * 1000


BENCHMARK = LatencyBenchmark()
