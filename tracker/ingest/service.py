"""The ingest process: one thread reads the broker, decodes and answers, two others write batches.

The reader stops reading while a writer has two batches waiting, so that a slow database holds the broker's
queue back and not this process's memory. When the database or the broker goes, the connections are dropped
with everything that was not committed: the broker keeps it and sends it again. Several processes share the
topics by leases.
"""

import gc
import itertools
import random
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from functools import partial

import structlog
from prometheus_client import CollectorRegistry

from tracker.domain.clock import Clock
from tracker.domain.errors import Unavailable
from tracker.ingest.client import BrokerAddress
from tracker.ingest.dialects._message import Dialect
from tracker.ingest.directory import Directory
from tracker.ingest.handover import Handover
from tracker.ingest.leaser import Leaser
from tracker.ingest.metrics import IngestMetrics
from tracker.ingest.outbound import Ack
from tracker.ingest.prepare import Prepared, Preparer
from tracker.ingest.reader import WRITERS, Reader, Slot
from tracker.ingest.replays import Replayer
from tracker.ingest.slots import shards_of
from tracker.ingest.topics import GATEWAY, of_shards
from tracker.ingest.worker import Worker
from tracker.ingest.writer import Watch, Writer
from tracker.store.seal import Sealer
from tracker.store.session import Database

__all__ = ["Ingest", "Watch", "collect_rarely"]

SWITCH_S = 0.001
FIRST_DELAY_S = 0.2
LONGEST_DELAY_S = 10.0
FINISH_WITHIN_S = 5.0

log = structlog.get_logger()


def collect_rarely() -> None:
    """Let this process look for reference cycles less often; call it once, before `Ingest.run`.

    Messages make many short-lived objects and no cycles: looking for some after every 700 of them, Python's
    habit, costs a fifth of the time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
    sys.setswitchinterval(SWITCH_S)


class Ingest:
    """Moves messages from the broker into the database until told to stop.

    `slots` are the broker users that divide the topics among themselves; this process serves those it leases.
    """

    def __init__(
        self,
        database: Database,
        sealer: Sealer,
        slots: Sequence[BrokerAddress],
        dialects: Mapping[str, Dialect],
        clock: Clock,
        *,
        registry: CollectorRegistry | None = None,
        watch: Watch | None = None,
    ) -> None:
        self._database = database
        self._slots = _slots(slots, dialects)
        self._clock = clock
        metrics = IngestMetrics(registry or CollectorRegistry())
        self._writers = [
            Writer(database, sealer, dialects, metrics, directory=Directory(), watch=watch)
            for _ in range(WRITERS)
        ]
        self._preparer = Preparer(dialects)
        self._replayer = Replayer(database, sealer, self._preparer, self._writers[0])
        self._epochs = itertools.count(1)
        self.handover = Handover()
        """Where sources put their messages."""
        self.connected = threading.Event()
        """Set while every slot that this process leases, at least one, is being served."""

    def run(self, stop: threading.Event) -> None:
        """Work until `stop` is set; a neighbour that is away is waited for with growing, random pauses."""
        leaser = Leaser(self._database.url, len(self._slots))
        leaser.start()
        delay_s = FIRST_DELAY_S
        while not stop.is_set():
            began_s = time.monotonic()
            try:
                self._database.ping()
                self._serve(leaser, stop)
            except Unavailable as error:
                if time.monotonic() - began_s > LONGEST_DELAY_S:
                    delay_s = FIRST_DELAY_S
                log.warning("ingest waits for a neighbour", reason=str(error), pause_s=round(delay_s, 1))
                stop.wait(delay_s * random.uniform(0.5, 1.0))
                delay_s = min(delay_s * 2, LONGEST_DELAY_S)
        leaser.close()
        self.handover.close()
        self._database.close()

    def _serve(self, leaser: Leaser, stop: threading.Event) -> None:
        """Serve the leased slots until told to stop.

        Raises:
            Unavailable: the broker or the database went.
        """
        for writer in self._writers:
            writer.forget()
        workers = [Worker(partial(self._write, writer), self._task) for writer in self._writers]
        reader = Reader(
            self._slots,
            self._preparer,
            leaser,
            workers,
            self.handover,
            self._clock,
            epochs=self._epochs,
            connected=self.connected,
        )
        try:
            while not stop.is_set():
                reader.follow_leases()
                reader.turn()
            for worker in workers:
                worker.finish(FINISH_WITHIN_S)
                reader.answer(worker.collect())
            reader.send()
        finally:
            reader.close()
            for worker in workers:
                worker.abandon(FINISH_WITHIN_S)
            self.handover.give_back()

    def _write(self, writer: Writer, batch: Sequence[Prepared]) -> list[Ack]:
        return writer.write(batch, self._clock())[0]

    def _task(self) -> None:
        self._writers[0].close_windows(self._clock())
        self._replayer.run(self._clock())


def _slots(addresses: Sequence[BrokerAddress], dialects: Mapping[str, Dialect]) -> list[Slot]:
    """Divide the topics of every shard among the broker users."""
    filters = [each for dialect in dialects.values() if dialect.root for each in dialect.topics]
    made = []
    for number, address in enumerate(addresses):
        shards = shards_of(number, len(addresses))
        served = [each for one in filters for each in of_shards(one, shards)]
        served += [f"{GATEWAY}/{shard}/#" for shard in shards]
        made.append(Slot(address=address, filters=tuple(served)))
    return made
