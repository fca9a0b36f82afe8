"""Empties the outbox: claimed in one transaction, sent outside any, settled in another.

Each channel has a lane of its own with eight threads, so that one whose gateway is dead holds up no other;
within a lane the most urgent go first. A worker that dies between sending and settling leaves a lease behind;
when it has run out, the message is sent once more. One that cannot be sent now is due again after 2, 4, 8 ...
seconds, at most five minutes, until it expires; the others go on meanwhile.
"""

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import datetime, timedelta
from functools import partial

import structlog
from prometheus_client import CollectorRegistry, Counter

from tracker.domain.clock import Clock
from tracker.domain.errors import Refused, Unavailable
from tracker.domain.notification import Claimed
from tracker.notify.channels._channel import Channel
from tracker.notify.compose import happened_at, together
from tracker.store import outbox
from tracker.store.seal import Sealer
from tracker.store.session import Database, Listener

AT_ONCE = 8
"""Messages of one channel sent together: each ends within its channel's timeouts, far within the lease."""

LONGEST_RETRY = timedelta(minutes=5)
_LONGEST_REST_S = 30.0
_OUTAGE_REST_S = 2.0
_LULL_S = 0.2
"""After it began to send a lane asks nothing more for so long: asking would hold up what is being sent."""

log = structlog.get_logger()


def retry_after(attempts: int) -> timedelta:
    """Return the wait after `attempts` (from 1) failed ones: 2^attempts seconds, at most 5 minutes."""
    return min(timedelta(seconds=2 ** min(attempts, 20)), LONGEST_RETRY)


class Lane:
    """The threads of one channel; of `channel` None: of all channels that this version does not have."""

    def __init__(self, channel: str | None) -> None:
        self.channel = channel
        self.woken = threading.Event()
        self.is_full = False
        """Whether more may wait than there are free threads: then each that is done wakes the lane."""
        # Threads are made when there is something to send, and kept.
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix=f"lane-{channel or 'unknown'}")
        self._busy: set[Future[None]] = set()

    def free(self) -> int:
        """Return how many more messages may be sent now.

        Raises:
            Exception: what ended the settling of one before.
        """
        done = {each for each in self._busy if each.done()}
        self._busy -= done
        for each in done:
            each.result()
        return AT_ONCE - len(self._busy)

    def start(self, task: Callable[[], None]) -> Future[None]:
        """Have a thread do it; when it is done the lane is woken, if it was full or the task failed."""
        future = self._pool.submit(task)
        self._busy.add(future)
        future.add_done_callback(self._done)
        return future

    def close(self) -> None:
        """Wait for what is being sent, and end the threads."""
        self._pool.shutdown()

    def _done(self, future: Future[None]) -> None:
        if self.is_full or future.exception() is not None:
            self.woken.set()


class Dispatcher:
    """Sends what the outbox holds. Any number of processes may do so side by side.

    It uses one connection of `database` for each lane that is claiming or settling, and one to listen by.
    """

    def __init__(
        self,
        database: Database,
        sealer: Sealer,
        channels: Mapping[str, Channel],
        clock: Clock,
        registry: CollectorRegistry | None = None,
    ) -> None:
        self._database = database
        self._sealer = sealer
        self._channels = channels
        self._clock = clock
        self._lanes = [Lane(name) for name in (*channels, None)]
        self._outcomes = Counter(
            "tracker_notifications",
            "Notifications handed over, refused, put off for another try, or failed by our fault",
            ["channel", "outcome"],
            registry=registry or CollectorRegistry(),
        )

    def drain(self, now: datetime) -> int:
        """Send up to eight notifications of each channel that are due at `now`; return how many were tried.

        The most urgent first, of those the longest due. What is told within another's message is not counted.

        Raises:
            Unavailable: the database cannot be reached; what was claimed is sent again after the lease.
        """
        started = [future for lane in self._lanes for future in self._fill(lane, now)]
        wait(started)
        for each in started:
            each.result()
        return len(started)

    def run(self, stop: threading.Event) -> None:
        """Send until `stop` is set, woken by each new notification; outlives outages of the database.

        When it ends, what is being sent is ended, and every channel closed.
        """
        with ThreadPoolExecutor(len(self._lanes), thread_name_prefix="lanes") as pool:
            running = [pool.submit(self._run_lane, lane, stop) for lane in self._lanes]
            try:
                self._listen(running, stop)
            finally:
                stop.set()
                self._wake(None)
                # A lane may just have taken up what a closed one could not send before the lease is over.
                wait(running)
                for lane in self._lanes:
                    lane.close()
                for channel in self._channels.values():
                    channel.close()
            for each in running:
                each.result()

    def receive(self, message_id: str, *, delivered: bool, detail: str = "") -> None:
        """Note the receipt of a message that `Channel.send` was given as `message_id`; from any thread.

        Raises:
            Unavailable: the database cannot be reached; the receipt is not noted.
        """
        with self._database.begin() as session:
            outbox.receive(session, message_id, delivered=delivered, detail=detail, now=self._clock())

    def _listen(self, running: list[Future[None]], stop: threading.Event) -> None:
        listener: Listener | None = None
        while not stop.is_set() and not any(each.done() for each in running):
            try:
                if listener is None:
                    listener = self._database.listen(outbox.OUTBOX_CHANNEL)
                    # What was put while nobody listened.
                    self._wake(None)
                for _, payload in listener.wait(1.0):
                    self._wake(payload)
            except Unavailable:
                log.warning("notifications wait for the database")
                if listener:
                    listener.close()
                listener = None
                stop.wait(_OUTAGE_REST_S)
        if listener:
            listener.close()

    def _wake(self, channel: str | None) -> None:
        """Wake the lane of a channel, the one of strange channels for a strange one, all for None."""
        known = channel if channel in self._channels else None
        for lane in self._lanes:
            if channel is None or lane.channel == known:
                lane.woken.set()

    def _run_lane(self, lane: Lane, stop: threading.Event) -> None:
        while not stop.is_set():
            lane.woken.clear()
            if stop.is_set():
                # What was cleared may have been the wake to stop.
                return
            # Until it is known: one that ends meanwhile must not be missed.
            lane.is_full = True
            rest_s = _OUTAGE_REST_S
            try:
                free = lane.free()
                started = len(self._fill(lane, self._clock(), free)) if free else 0
                if free and started == free:
                    continue
                lane.is_full = not free
                if not free:
                    rest_s = _LONGEST_REST_S
                elif started:
                    rest_s = _LULL_S
                else:
                    rest_s = self._rest_s(lane)
            except Unavailable:
                log.warning("notifications wait for the database", lane=lane.channel)
            lane.woken.wait(rest_s)

    def _fill(self, lane: Lane, now: datetime, limit: int = AT_ONCE) -> list[Future[None]]:
        with self._database.begin() as session:
            claimed = outbox.claim(
                session,
                self._sealer,
                now,
                limit,
                channel=lane.channel,
                not_channels=() if lane.channel else tuple(self._channels),
            )
        # Of what became due at one moment, what happened first goes first.
        claimed.sort(key=lambda each: (-each.notification.urgency, happened_at(each.notification)))
        return [lane.start(partial(self._deliver, each, now)) for each in claimed]

    def _rest_s(self, lane: Lane) -> float:
        """Return how long until a notification of the lane is due, at most 30 s."""
        with self._database.begin() as session:
            due_at = outbox.next_due(session, channel=lane.channel) if lane.channel else None
        if due_at is None:
            return _LONGEST_REST_S
        return max(0.2, min(_LONGEST_REST_S, (due_at - self._clock()).total_seconds()))

    def _deliver(self, claimed: Claimed, now: datetime) -> None:
        channel = claimed.notification.channel
        try:
            self._send(claimed, now)
        except Unavailable as error:
            log.warning("a notification waits", id=claimed.outbox_id, channel=channel, why=str(error))
            self._put_off(claimed, "retried", str(error))
        except Refused as error:
            log.warning("a notification is refused", id=claimed.outbox_id, channel=channel, why=str(error))
            self._settle(claimed, "refused", f"refused: {error}", f"refused: {error}")
        except Exception as error:
            # A fault of ours in one channel or text must not stall the others. Its text could hold a code.
            name = type(error).__name__
            log.error("a notification failed", id=claimed.outbox_id, channel=channel, error=name)
            self._put_off(claimed, "failed", name)
        else:
            self._settle(claimed, "sent", "sent", f"with {claimed.outbox_id}")

    def _send(self, claimed: Claimed, now: datetime) -> None:
        notification = together([claimed.notification, *(each.notification for each in claimed.also)])
        channel = self._channels.get(notification.channel)
        if channel is None:
            raise Refused("there is no such channel")
        channel.send(notification, now, message_id=claimed.outbox_id)

    def _settle(self, claimed: Claimed, label: str, outcome: str, outcome_of_others: str) -> None:
        with self._database.begin() as session:
            outbox.settle(session, claimed.outbox_id, outcome, self._clock())
            for each in claimed.also:
                outbox.settle(session, each.outbox_id, outcome_of_others, self._clock())
        self._count(claimed, label)

    def _put_off(self, claimed: Claimed, label: str, why: str) -> None:
        due_at = self._clock() + retry_after(claimed.attempts)
        with self._database.begin() as session:
            for each in (claimed, *claimed.also):
                outbox.retry(session, each.outbox_id, due_at, why)
        self._wake(claimed.notification.channel)
        self._count(claimed, label)

    def _count(self, claimed: Claimed, label: str) -> None:
        # Rows may name a channel that this version does not have; a label must stay one of few.
        channel = claimed.notification.channel
        self._outcomes.labels(channel if channel in self._channels else "unknown", label).inc()
