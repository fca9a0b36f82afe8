"""The ingest process: one thread reads the broker and answers it, another writes batches.

The reader stops reading while four batches wait, so that a slow database holds the broker's queue back and
not this process's memory. When the database or the broker goes, the connection is dropped with everything
that was not committed: the broker keeps it and sends it again.
"""

import gc
import queue
import random
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog
from prometheus_client import CollectorRegistry

from tracker.domain.clock import Clock
from tracker.domain.errors import Unavailable
from tracker.ingest.batch import Batch
from tracker.ingest.client import Arrived, BrokerAddress, Connection, open_connection
from tracker.ingest.dialects._message import Dialect
from tracker.ingest.metrics import IngestMetrics
from tracker.ingest.outbound import Ack
from tracker.ingest.writer import Consumer, Writer
from tracker.store.seal import Sealer
from tracker.store.session import Database

__all__ = ["Consumer", "Ingest", "collect_rarely"]

BATCH_MESSAGES = 1000
BATCH_BYTES = 1024 * 1024
LINGER_S = 0.005
WAITING_BATCHES = 4
UNACKNOWLEDGED = (WAITING_BATCHES + 2) * BATCH_MESSAGES
TURN_S = 0.5
FIRST_DELAY_S = 0.2
LONGEST_DELAY_S = 10.0
STUCK_AFTER_S = 60.0
FINISH_WITHIN_S = 5.0

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Done:
    """A committed batch: what to acknowledge to the broker, and then to the devices."""

    ack_ids: list[int]
    acks: list[Ack]


class Worker:
    """Writes the batches of one connection in a thread of its own, one after the other."""

    def __init__(self, write: Callable[[Sequence[Arrived]], list[Ack]]) -> None:
        self._write = write
        self._queue: queue.Queue[list[Arrived] | None] = queue.Queue()
        self._waiting = 0
        self._handed_at_s = 0.0
        self.done: deque[Done] = deque()
        self.failure: BaseException | None = None
        self.wake, self._waker = socket.socketpair()
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)
        self._thread.start()

    @property
    def idle(self) -> bool:
        """Whether every batch that was submitted has been collected."""
        return self._waiting == 0

    @property
    def has_room(self) -> bool:
        """Whether one more batch may be submitted."""
        return self._waiting < WAITING_BATCHES

    @property
    def stuck(self) -> bool:
        """Whether nothing was done for a minute although there is work."""
        return not self.idle and time.monotonic() - self._handed_at_s > STUCK_AFTER_S

    def submit(self, batch: list[Arrived]) -> None:
        """Put a batch in line."""
        if self.idle:
            self._handed_at_s = time.monotonic()
        self._waiting += 1
        self._queue.put(batch)

    def collect(self) -> list[Done]:
        """Return the batches committed since the last call.

        Raises:
            Unavailable: the database is away.
        """
        found = []
        while self.done:
            found.append(self.done.popleft())
            self._waiting -= 1
            self._handed_at_s = time.monotonic()
        if not found and self.failure is not None:
            raise self.failure
        return found

    def finish(self, timeout_s: float) -> None:
        """Let the thread end after the batches in line, and wait for it up to `timeout_s`."""
        self._queue.put(None)
        self._thread.join(timeout_s)
        if not self._thread.is_alive():
            self.wake.close()
            self._waker.close()

    def abandon(self) -> None:
        """Let the thread end after the batch it is at."""
        while True:
            try:
                self._queue.get_nowait()
            except queue.Empty:
                break
        self.finish(FINISH_WITHIN_S)

    def _run(self) -> None:
        while (batch := self._queue.get()) is not None:
            try:
                acks = self._write(batch)
            except BaseException as error:
                self.failure = error
                self._waker.send(b"\0")
                return
            self.done.append(Done([each.ack_id for each in batch if each.ack_id], acks))
            self._waker.send(b"\0")


def collect_rarely() -> None:
    """Let this process look for reference cycles less often; call it once, before `Ingest.run`.

    Messages make many short-lived objects and no cycles: looking for some after every 700 of them, Python's
    habit, costs a fifth of the time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


class Ingest:
    """Moves messages from the broker into the database until told to stop."""

    def __init__(
        self,
        database: Database,
        sealer: Sealer,
        broker: BrokerAddress,
        dialects: Mapping[str, Dialect],
        consumers: Sequence[Consumer],
        clock: Clock,
        *,
        registry: CollectorRegistry | None = None,
    ) -> None:
        self._database = database
        self._broker = broker
        self._clock = clock
        self._subscriptions = [
            each for dialect in dialects.values() if dialect.root for each in dialect.topics
        ]
        metrics = IngestMetrics(registry or CollectorRegistry())
        self._writer = Writer(database, sealer, dialects, consumers, metrics)
        self._epoch = 0
        self.connected = threading.Event()
        """Set while a connection to the broker is being served."""

    def run(self, stop: threading.Event) -> None:
        """Work until `stop` is set; a neighbour that is away is waited for with growing, random pauses."""
        delay_s = FIRST_DELAY_S
        while not stop.is_set():
            began_s = time.monotonic()
            try:
                self._database.ping()
                self._serve(stop)
            except Unavailable as error:
                if time.monotonic() - began_s > LONGEST_DELAY_S:
                    delay_s = FIRST_DELAY_S
                log.warning("ingest waits for a neighbour", reason=str(error), pause_s=round(delay_s, 1))
                stop.wait(delay_s * random.uniform(0.5, 1.0))
                delay_s = min(delay_s * 2, LONGEST_DELAY_S)
        self._database.close()

    def _serve(self, stop: threading.Event) -> None:
        """Serve one connection to its end.

        Raises:
            Unavailable: the broker or the database went.
        """
        self._epoch += 1
        batch: Batch[Arrived] = Batch(limit=BATCH_MESSAGES, limit_bytes=BATCH_BYTES, linger_s=LINGER_S)
        connection = open_connection(
            self._broker,
            self._epoch,
            self._subscriptions,
            lambda arrived: batch.add(arrived, len(arrived.payload), time.monotonic()),
            self._clock,
            unacknowledged=UNACKNOWLEDGED,
        )
        log.info("ingest is connected", connection=self._epoch)
        worker = Worker(self._write)
        self.connected.set()
        try:
            while not stop.is_set():
                self._turn(connection, worker, batch)
            worker.finish(FINISH_WITHIN_S)
            self._answer(connection, worker.collect())
            connection.turn()
        finally:
            self.connected.clear()
            connection.close()
            worker.abandon()

    def _turn(self, connection: Connection, worker: Worker, batch: Batch[Arrived]) -> None:
        now_s = time.monotonic()
        due_s = batch.wait_s(now_s)
        timeout_s = TURN_S if due_s is None or not worker.idle else min(due_s, TURN_S)
        connection.wait(timeout_s, read=not batch.full, wake=worker.wake)
        if not batch.full:
            connection.read(lambda: batch.full)
        self._answer(connection, worker.collect())
        # While the writer works a small batch grows: what has come meanwhile goes in one transaction.
        if (batch.full and worker.has_room) or (worker.idle and batch.due(time.monotonic())):
            worker.submit(batch.take())
        if worker.stuck:
            raise Unavailable(f"the database has not answered for {STUCK_AFTER_S:g} s")
        connection.turn()

    def _answer(self, connection: Connection, done: Sequence[Done]) -> None:
        for each in done:
            connection.acknowledge(each.ack_ids)
            for ack in each.acks:
                connection.publish(ack.topic, ack.payload)

    def _write(self, batch: Sequence[Arrived]) -> list[Ack]:
        now: datetime = self._clock()
        return self._writer.write(batch, now)
