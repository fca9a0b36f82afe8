"""Does a position cost more when there are more devices, or more history? The writer alone, no broker.

Batches of 1,000 positions are written with a thousand devices and with a hundred thousand, and into an empty
history and a filled one. The time of a plain COPY beside each tells how the machine changed meanwhile, and is
divided out. The memory is that of this process, which reads and writes as ingest does.
"""

import gc
import resource
import time
from collections.abc import Sequence
from datetime import timedelta

import psycopg
from prometheus_client import CollectorRegistry

from benchmarks._fleet import PASSWORD, add_family, fixes_of, message, servers_with_family
from benchmarks._result import Options, Result, median
from benchmarks.ingest import Link, copy_chunk, copy_rows
from tracker import registry
from tracker.domain.clock import utc_now
from tracker.domain.device import Device
from tracker.ingest.arrived import Arrived
from tracker.ingest.metrics import IngestMetrics
from tracker.ingest.prepare import Preparer
from tracker.ingest.writer import Writer
from tracker.store.schema import id_to_int
from tracker.store.seal import Sealer
from tracker.store.session import Database

FEW, MANY = 1_000, 100_000
STORED = 5_000_000
BATCH, BATCHES = 1_000, 10
FILL_DEVICES = 500

_FILL = """
INSERT INTO positions
  (account_id, device_id, recorded_at, received_at, geom, accuracy_m, battery_pct, trigger)
SELECT %(account)s, device, %(begin)s + step * interval '1 second', now(),
       ST_SetSRID(ST_MakePoint(37 + step * 1e-6, 55 + step * 1e-6), 4326), 5, 80, 'u'
FROM unnest(%(devices)s::bigint[]) AS device, generate_series(%(first)s::int, %(last)s::int) AS step
"""


class GrowthBenchmark:
    """`tracker bench growth`; `size` is how many positions are stored before the last measurement."""

    name = "growth"

    def run(self, options: Options) -> Result:
        """Measure on private servers."""
        stored = options.size or STORED
        with (
            servers_with_family(FEW) as (servers, few),
            psycopg.connect(servers.database_url, autocommit=True) as link,
        ):
            database = Database(servers.database_url, pool_size=2)
            writing = _Writing(database, link)
            writing.microseconds(few)
            begin = [writing.microseconds(few) for _ in range(options.rounds)]
            many = add_family(database, MANY)
            link.execute("ANALYZE devices")
            wide = [writing.microseconds(many[at * 1000 :]) for at in range(options.rounds)]
            _fill(link, few[:FILL_DEVICES], stored)
            full = [writing.microseconds(few) for _ in range(options.rounds)]
            database.close()
        return Result(
            name=self.name,
            figures={
                "us_per_position_1000_devices": median([each for each, _ in begin]),
                "us_per_position_100000_devices": median([each for each, _ in wide]),
                f"us_per_position_{stored}_stored": median([each for each, _ in full]),
                "memory_mb_100000_devices": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            },
            floors={"copy_us_per_position": median([each for _, each in begin])},
            ratios={
                "devices_100000_to_1000": _growth(begin, wide),
                f"stored_{stored}_to_0": _growth(begin, full),
            },
        )


BENCHMARK = GrowthBenchmark()

Pair = tuple[float, float]
"""Microseconds a position of the writer, and of COPY beside it."""


def _growth(before: Sequence[Pair], after: Sequence[Pair]) -> float:
    return round(
        median([ours / copy for ours, copy in after]) / median([ours / copy for ours, copy in before]), 3
    )


class _Writing:
    """Writes batches as ingest does, and beside each plain COPY into the same table."""

    def __init__(self, database: Database, link: Link) -> None:
        dialects = registry.load("tracker.ingest.dialects", "DIALECT")
        self._preparer = Preparer(dialects)
        metrics = IngestMetrics(CollectorRegistry())
        self._writer = Writer(database, Sealer(PASSWORD), dialects, metrics)
        self._link = link
        self._hours = 0

    def microseconds(self, family: Sequence[Device]) -> Pair:
        """Return the time a position of ten batches, each device once or in turn."""
        now = utc_now()
        fixes = fixes_of(family[: BATCH * BATCHES], BATCH * BATCHES)
        # Each round has times of its own: no position is there already.
        self._hours += 1
        ours = [(device, at - timedelta(hours=self._hours), place) for device, at, place in fixes]
        batches = [
            [
                self._preparer.prepare(Arrived(1, number + 1, topic, payload, now))
                for number, (topic, payload) in enumerate(map(message, ours[begin : begin + BATCH]))
            ]
            for begin in range(0, len(ours), BATCH)
        ]
        plain = [
            (device, at - timedelta(minutes=30, hours=self._hours), place) for device, at, place in fixes
        ]
        chunks = [copy_chunk(plain[begin : begin + BATCH]) for begin in range(0, len(plain), BATCH)]
        gc.collect()
        taken_s = copied_s = 0.0
        for batch, chunk in zip(batches, chunks, strict=True):
            began_s = time.perf_counter()
            self._writer.write(batch, now)
            wrote_s = time.perf_counter()
            copy_rows(self._link, chunk)
            taken_s += wrote_s - began_s
            copied_s += time.perf_counter() - wrote_s
        return taken_s / len(fixes) * 1e6, copied_s / len(fixes) * 1e6


def _fill(link: Link, devices: Sequence[Device], rows: int) -> None:
    """Fill the history of this week's partition and the one before."""
    each = rows // len(devices)
    given = {
        "account": id_to_int(devices[0].account_id),
        "devices": [id_to_int(device.device_id) for device in devices],
        "begin": utc_now() - timedelta(days=2),
    }
    for first in range(0, each, 1000):
        link.execute(_FILL, given | {"first": first, "last": min(first + 999, each - 1)})
    link.execute("VACUUM ANALYZE positions")
