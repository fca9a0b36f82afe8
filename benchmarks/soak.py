"""A million random and mutated messages through broker and ingest: is it alive, and is its memory flat?

Every dialect's recorded messages, changed at random, are published by a gateway of each dialect and by a
device of its own. Good positions go between them; at the end each of those must be stored.
"""

import multiprocessing
import sys
from collections.abc import Iterator, Sequence
from datetime import timedelta
from functools import partial

from sqlalchemy import text

from benchmarks._fleet import (
    PASSWORD,
    PUBLISHER,
    message,
    running_ingest,
    servers_with_family,
    wait_for,
)
from benchmarks._mutants import Mutants, recorded
from benchmarks._publisher import publish_all
from benchmarks._result import Options, Result
from benchmarks._servers import Servers
from benchmarks._usage import memory_mb
from tracker.domain.clock import utc_now
from tracker.domain.device import Device
from tracker.domain.gateway import Gateway
from tracker.domain.geo import LatLon
from tracker.domain.ids import new_id
from tracker.ingest.topics import of_device
from tracker.store import gateways
from tracker.store.schema import id_to_int
from tracker.store.session import Database

MESSAGES = 1_000_000
CHUNK = 20_000
GOOD_EVERY = 100


class SoakBenchmark:
    """`tracker bench soak`; `size` is how many messages are published, `rounds` is not used."""

    name = "soak"

    def run(self, options: Options) -> Result:
        """Publish, then compare.

        Raises:
            TimeoutError: ingest died or stands still.
        """
        wanted = options.size or MESSAGES
        with servers_with_family() as (servers, family), running_ingest(servers) as ingest:
            database = Database(servers.database_url, pool_size=1)
            senders = _gateways(database, family[0])
            good, early_mb = 0, 0.0
            for number, chunk in enumerate(_chunks(senders, family, wanted)):
                _publish(servers, chunk)
                good += sum(1 for topic, _ in chunk if topic.startswith("owntracks/"))
                wait_for(partial(_are_stored, database, family[0], good), "the good ones", within_s=600)
                print(f"{(number + 1) * CHUNK:>9} published", file=sys.stderr)
                if number == wanted // CHUNK // 10:
                    early_mb = memory_mb(ingest.pid)
            late_mb = memory_mb(ingest.pid)
            stored, kept, listed = _counts(database, family[0])
            database.close()
        return Result(
            name=self.name,
            figures={
                "published": wanted,
                "good_published": good,
                "good_stored": stored,
                "quarantined": kept,
                "unclaimed": listed,
                "memory_mb_after_a_tenth": early_mb,
                "memory_mb_at_the_end": late_mb,
            },
        )


BENCHMARK = SoakBenchmark()


def _gateways(database: Database, device: Device) -> dict[str, str]:
    """Store a gateway of each dialect; return the ids by dialect."""
    made = {}
    with database.begin() as session:
        for dialect in sorted({dialect for dialect, _ in recorded()}):
            made[dialect] = new_id()
            gateway = Gateway(
                account_id=device.account_id,
                gateway_id=made[dialect],
                name=dialect,
                dialect=dialect,
                created_at=utc_now(),
            )
            gateways.add(session, gateway, mqtt_password_hash="-")  # noqa: S106
    return made


def _chunks(
    senders: dict[str, str], family: Sequence[Device], wanted: int
) -> Iterator[list[tuple[str, bytes]]]:
    mutants = Mutants(recorded(), codecs=(), seed=1)
    begin = utc_now() - timedelta(days=1)
    calm = family[1:]
    for first in range(0, wanted, CHUNK):
        chunk = []
        for number in range(first, min(first + CHUNK, wanted)):
            if number % GOOD_EVERY == GOOD_EVERY - 1:
                second, place = divmod(number // GOOD_EVERY, len(calm))
                at = LatLon(lat=55 + second * 1e-5, lon=37)
                chunk.append(message((calm[place], begin + timedelta(seconds=second), at)))
            else:
                dialect, mutant = mutants.next()
                chunk.append((_topic(senders, family[0], dialect, mutant.topic), mutant.payload))
        yield chunk


def _topic(senders: dict[str, str], device: Device, dialect: str, topic: str) -> str:
    """Return where a mutant is published, without what the broker itself would refuse."""
    inner = "".join(each for each in topic if each not in "+#\0" and each.isprintable())
    if dialect == "native":
        return of_device("tracker", device.device_id, inner.rpartition("/")[2] or "position")
    return of_device("gateway", senders[dialect], inner[:200] or "x")


def _publish(servers: Servers, chunk: Sequence[tuple[str, bytes]]) -> None:
    address = ("127.0.0.1", servers.broker.port, PUBLISHER, PASSWORD)
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        pool.apply_async(publish_all, (*address, chunk)).get(timeout=600)


def _are_stored(database: Database, mutant: Device, good: int) -> bool:
    return _counts(database, mutant)[0] == good


def _counts(database: Database, mutant: Device) -> tuple[int, int, int]:
    """Return how many good positions are stored, messages in quarantine, names unclaimed."""
    with database.begin() as session:
        row = session.execute(
            text(
                "SELECT (SELECT count(*) FROM positions WHERE device_id <> :mutant),"
                " (SELECT count(*) FROM quarantine), (SELECT count(*) FROM unclaimed)"
            ),
            {"mutant": id_to_int(mutant.device_id)},
        ).one()
    return row[0], row[1], row[2]
