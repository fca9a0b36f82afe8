"""The thread that writes: batches one after the other, and small tasks between them."""

import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tracker.ingest.alarm import Alarm
from tracker.ingest.outbound import Ack
from tracker.ingest.prepare import Prepared

WAITING_BATCHES = 2
STUCK_AFTER_S = 120.0

Batch = Sequence[Prepared]


@dataclass(frozen=True, slots=True)
class Done:
    """A committed batch, and what the devices may be told."""

    batch: Batch
    acks: list[Ack]


class Worker:
    """Writes batches by `write`; runs `task` when asked to, between two of them."""

    def __init__(self, write: Callable[[Batch], list[Ack]], task: Callable[[], None]) -> None:
        self._write = write
        self._task = task
        self._queue: queue.Queue[Batch | None] = queue.Queue()
        self._waiting = 0
        self._handed_at_s = 0.0
        self._task_asked = threading.Event()
        self._done: deque[Done] = deque()
        self.failure: BaseException | None = None
        self.alarm = Alarm()
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
        """Whether nothing was done for two minutes although there is work."""
        return not self.idle and time.monotonic() - self._handed_at_s > STUCK_AFTER_S

    def submit(self, batch: Batch) -> None:
        """Put a batch in line."""
        if self.idle:
            self._handed_at_s = time.monotonic()
        self._waiting += 1
        self._queue.put(batch)

    def ask_task(self) -> None:
        """Have the task run soon, once however often it is asked for meanwhile."""
        if not self._task_asked.is_set():
            self._task_asked.set()
            self._queue.put(())

    def collect(self) -> list[Done]:
        """Return the batches committed since the last call.

        Raises:
            Unavailable: the database is away.
        """
        found = []
        while self._done:
            found.append(self._done.popleft())
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
            self.alarm.close()

    def abandon(self, timeout_s: float) -> None:
        """Let the thread end after the batch it is at."""
        while True:
            try:
                self._queue.get_nowait()
            except queue.Empty:
                break
        self.finish(timeout_s)

    def _run(self) -> None:
        while (batch := self._queue.get()) is not None:
            try:
                if batch:
                    self._done.append(Done(batch, self._write(batch)))
                else:
                    self._task_asked.clear()
                    self._task()
            except BaseException as error:
                self.failure = error
                self.alarm.ring()
                return
            self.alarm.ring()
