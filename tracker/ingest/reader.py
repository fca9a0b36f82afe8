"""The thread that reads the broker: decodes, gathers batches, answers what the writer committed."""

import random
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import structlog

from tracker.domain.clock import Clock
from tracker.domain.errors import Malformed, Reason, Unavailable
from tracker.ingest.arrived import Arrived
from tracker.ingest.batch import Batch
from tracker.ingest.client import BrokerAddress, Connection, open_connection, wait
from tracker.ingest.dialects._message import NOTHING
from tracker.ingest.handover import Handover
from tracker.ingest.lanes import Lanes
from tracker.ingest.leaser import Leaser
from tracker.ingest.prepare import Prepared, Preparer
from tracker.ingest.topics import GATEWAY
from tracker.ingest.worker import WAITING_BATCHES, Done, Worker

BATCH_MESSAGES = 1000
BATCH_BYTES = 1024 * 1024
LINGER_S = 0.005
UNACKNOWLEDGED = (WAITING_BATCHES + 2) * BATCH_MESSAGES
SLOW_MESSAGES, SLOW_BYTES = 20_000, 64 * 1024 * 1024
SLOW_IN_A_BATCH = 200
TURN_S = 0.5
TASK_EVERY_S = 0.5

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """One broker session and the topics that it serves."""

    address: BrokerAddress
    filters: tuple[str, ...]


class Reader:
    """Serves the leased slots while the neighbours are well; thrown away when one of them goes.

    `connected` is set while every leased slot, at least one, is being served. `epochs` numbers connections.
    """

    def __init__(
        self,
        slots: Sequence[Slot],
        preparer: Preparer,
        leaser: Leaser,
        worker: Worker,
        handover: Handover,
        clock: Clock,
        *,
        epochs: Iterator[int],
        connected: threading.Event,
    ) -> None:
        self._slots = slots
        self._preparer = preparer
        self._leaser = leaser
        self._worker = worker
        self._handover = handover
        self._clock = clock
        self._epochs = epochs
        self._connected = connected
        self._lanes: Lanes[Arrived] = Lanes(slow_items=SLOW_MESSAGES, slow_bytes=SLOW_BYTES)
        self._connections: dict[int, Connection] = {}
        self._by_epoch: dict[int, Connection] = {}
        self._open: Counter[int] = Counter()
        self._task_at_s = 0.0
        self._batch: Batch[Prepared] = Batch(limit=BATCH_MESSAGES, limit_bytes=BATCH_BYTES, linger_s=LINGER_S)

    def follow_leases(self) -> None:
        """Serve what was leased, and let go, once its messages are done, what another process should have."""
        held, giving = self._leaser.held, self._leaser.giving
        for number in sorted(held - giving - self._connections.keys()):
            self._connect(number)
        for number, connection in list(self._connections.items()):
            if number not in held or (number in giving and not self._open[connection.epoch]):
                self._disconnect(number)
                self._leaser.let_go(number)
        if self._connections and self._connections.keys() == held - giving:
            self._connected.set()
        elif not self._connections:
            self._connected.clear()

    def turn(self) -> None:
        """Read, hand batches to the writer, answer what it committed."""
        batch, worker = self._batch, self._worker
        now_s = time.monotonic()
        due_s = batch.wait_s(now_s)
        timeout_s = TURN_S if due_s is None or not worker.idle else min(due_s, TURN_S)
        if len(self._lanes) and worker.idle:
            timeout_s = 0.0
        giving = self._leaser.giving
        reading = [each for number, each in self._connections.items() if number not in giving]
        wait(
            self._connections.values(),
            timeout_s,
            read=lambda connection: not batch.full and connection in reading,
            wake=(worker.alarm, self._leaser.alarm, self._handover.alarm),
        )
        # Nobody is read first every time: a slot with a long backlog must not starve the others.
        random.shuffle(reading)
        for connection in reading:
            if not batch.full:
                connection.read(lambda: batch.full)
        self._take_handed()
        self._take_slow()
        self.answer(worker.collect())
        # While the writer works a small batch grows: what has come meanwhile goes in one transaction.
        if (batch.full and worker.has_room) or (worker.idle and batch.due(time.monotonic())):
            worker.submit(batch.take())
        if worker.stuck:
            raise Unavailable("the database does not answer")
        if now_s - self._task_at_s >= TASK_EVERY_S:
            self._task_at_s = now_s
            worker.ask_task()
        self.send()

    def answer(self, done: Sequence[Done]) -> None:
        """Acknowledge committed messages to the broker or whoever handed them over, then to the devices."""
        for each in done:
            for prepared in each.batch:
                arrived = prepared.arrived
                if arrived.epoch:
                    self._open[arrived.epoch] -= 1
                    connection = self._by_epoch.get(arrived.epoch)
                    if connection is not None and arrived.ack_id:
                        connection.acknowledge(arrived.ack_id)
                elif arrived.done is not None:
                    self._handover.settle(arrived)
            if each.acks and self._connections:
                # Any of them may speak to any device.
                connection = next(iter(self._connections.values()))
                for ack in each.acks:
                    connection.publish(ack.topic, ack.payload)

    def send(self) -> None:
        """Send what waits to be sent."""
        for connection in self._connections.values():
            connection.turn()

    def close(self) -> None:
        """Sign off everywhere; what is not committed comes again."""
        self._connected.clear()
        for number in list(self._connections):
            self._disconnect(number)

    def _connect(self, number: int) -> None:
        slot, epoch = self._slots[number], next(self._epochs)
        connection = open_connection(
            slot.address, epoch, slot.filters, self._receive, self._clock, unacknowledged=UNACKNOWLEDGED
        )
        self._connections[number] = self._by_epoch[epoch] = connection
        log.info("ingest is connected", slot=slot.address.name, connection=epoch)

    def _disconnect(self, number: int) -> None:
        connection = self._connections.pop(number)
        self._by_epoch.pop(connection.epoch, None)
        connection.close()

    def _receive(self, messages: Sequence[Arrived]) -> None:
        now_s, lanes = time.monotonic(), self._lanes
        self._open[messages[0].epoch] += len(messages)
        for arrived in messages:
            root, _, behind = arrived.topic.partition("/")
            sender = behind[2:18]
            if lanes.passes(sender, now_s, gateway=root == GATEWAY):
                self._add(arrived, now_s)
            elif not lanes.put(sender, arrived, len(arrived.payload)):
                refused = Malformed(Reason.OVER_RATE, "more than a device may send")
                self._batch.add(
                    Prepared(arrived, sender, None, NOTHING, refused), len(arrived.payload), now_s
                )

    def _add(self, arrived: Arrived, now_s: float) -> None:
        self._batch.add(self._preparer.prepare(arrived), len(arrived.payload), now_s)

    def _take_handed(self) -> None:
        now_s = time.monotonic()
        while not self._batch.full and (arrived := self._handover.take()) is not None:
            self._add(arrived, now_s)

    def _take_slow(self) -> None:
        if self._worker.idle and not self._batch.full:
            now_s = time.monotonic()
            for arrived, _ in self._lanes.take(SLOW_IN_A_BATCH):
                self._add(arrived, now_s)
