"""The thread that reads the broker: decodes, gathers batches, answers what the writer committed."""

import math
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
WRITERS = 2
"""Threads that write: while one waits for PostgreSQL, the other has Python's lock."""
UNACKNOWLEDGED = (WAITING_BATCHES + 1) * WRITERS * BATCH_MESSAGES
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


def line_of(sender_id: str, count: int) -> int:
    """Return which of so many lines takes what this device, gateway or source sends; "" is nobody known."""
    return sum(sender_id[-1:].encode()) % count


class Line:
    """One of the writers, and the batch that gathers for it.

    What one device or gateway sends always goes the same line, so that it is written in its order.
    """

    def __init__(self, worker: Worker) -> None:
        self.worker = worker
        self.batch: Batch[Prepared] = Batch(limit=BATCH_MESSAGES, limit_bytes=BATCH_BYTES, linger_s=LINGER_S)

    def wait_s(self, now_s: float) -> float:
        """Return how long nothing is to be done here, in seconds; without end while the writer works."""
        due_s = self.batch.wait_s(now_s)
        return math.inf if due_s is None or not self.worker.idle else due_s

    def turn(self, now_s: float) -> None:
        """Submit the batch if it is time.

        Raises:
            Unavailable: the database does not answer.
        """
        # While the writer works a small batch grows: what has come meanwhile goes in one transaction.
        if (self.batch.full and self.worker.has_room) or (self.worker.idle and self.batch.due(now_s)):
            self.worker.submit(self.batch.take())
        if self.worker.stuck:
            raise Unavailable("the database does not answer")


class Reader:
    """Serves the leased slots while the neighbours are well; thrown away when one of them goes.

    `connected` is set while every leased slot, at least one, is being served. `epochs` numbers connections.
    """

    def __init__(
        self,
        slots: Sequence[Slot],
        preparer: Preparer,
        leaser: Leaser,
        workers: Sequence[Worker],
        handover: Handover,
        clock: Clock,
        *,
        epochs: Iterator[int],
        connected: threading.Event,
    ) -> None:
        self._slots = slots
        self._preparer = preparer
        self._leaser = leaser
        self._lines = [Line(worker) for worker in workers]
        self._handover = handover
        self._clock = clock
        self._epochs = epochs
        self._connected = connected
        self._lanes: Lanes[Arrived] = Lanes(slow_items=SLOW_MESSAGES, slow_bytes=SLOW_BYTES)
        self._connections: dict[int, Connection] = {}
        self._by_epoch: dict[int, Connection] = {}
        self._open: Counter[int] = Counter()
        self._task_at_s = 0.0

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
        """Read, hand batches to the writers, answer what they committed."""
        now_s = time.monotonic()
        timeout_s = min(TURN_S, *(line.wait_s(now_s) for line in self._lines))
        if len(self._lanes) and self._idle:
            timeout_s = 0.0
        giving = self._leaser.giving
        reading = [each for number, each in self._connections.items() if number not in giving]
        alarms = [line.worker.alarm for line in self._lines]
        wait(
            self._connections.values(),
            timeout_s,
            read=lambda connection: not self._full() and connection in reading,
            wake=(*alarms, self._leaser.alarm, self._handover.alarm),
        )
        # Nobody is read first every time: a slot with a long backlog must not starve the others.
        random.shuffle(reading)
        for connection in reading:
            if not self._full():
                connection.read(self._full)
        self._take_handed()
        self._take_slow()
        for line in self._lines:
            self.answer(line.worker.collect())
            line.turn(time.monotonic())
        if now_s - self._task_at_s >= TASK_EVERY_S:
            self._task_at_s = now_s
            self._lines[0].worker.ask_task()
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
                self._put(Prepared(arrived, sender, None, NOTHING, refused), now_s)

    def _add(self, arrived: Arrived, now_s: float) -> None:
        self._put(self._preparer.prepare(arrived), now_s)

    def _put(self, prepared: Prepared, now_s: float) -> None:
        arrived = prepared.arrived
        sender = arrived.origin.origin_id if arrived.origin else prepared.sender_id or ""
        line = self._lines[line_of(sender, len(self._lines))]
        line.batch.add(prepared, len(arrived.payload), now_s)

    def _full(self) -> bool:
        return any(line.batch.full for line in self._lines)

    @property
    def _idle(self) -> bool:
        return all(line.worker.idle for line in self._lines)

    def _take_handed(self) -> None:
        now_s = time.monotonic()
        while not self._full() and (arrived := self._handover.take()) is not None:
            self._add(arrived, now_s)

    def _take_slow(self) -> None:
        if self._idle and not self._full():
            now_s = time.monotonic()
            for arrived, _ in self._lanes.take(SLOW_IN_A_BATCH):
                self._add(arrived, now_s)
