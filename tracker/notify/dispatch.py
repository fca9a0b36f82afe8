"""Empties the outbox: claimed in one transaction, sent outside any, settled in another.

A worker that dies between sending and settling leaves a lease behind; when it has run out, the message is
sent once more. One that cannot be sent now is due again after 2, 4, 8 ... seconds, at most five minutes,
until it expires; the others go on meanwhile.
"""

import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import structlog
from prometheus_client import CollectorRegistry, Counter

from tracker.domain.clock import Clock
from tracker.domain.errors import Refused, Unavailable
from tracker.domain.notification import Claimed
from tracker.notify.channels._channel import Channel
from tracker.store import outbox
from tracker.store.seal import Sealer
from tracker.store.session import Database, Listener

AT_ONCE = 8
"""Messages claimed and sent together: each ends within its channel's timeouts, far within the lease."""

LONGEST_RETRY = timedelta(minutes=5)
_LONGEST_REST_S = 30.0
_OUTAGE_REST_S = 2.0

log = structlog.get_logger()


def retry_after(attempts: int) -> timedelta:
    """Return the wait after `attempts` (from 1) failed ones: 2^attempts seconds, at most 5 minutes."""
    return min(timedelta(seconds=2 ** min(attempts, 20)), LONGEST_RETRY)


class Dispatcher:
    """Sends what the outbox holds. Any number of processes may do so side by side."""

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
        self._outcomes = Counter(
            "tracker_notifications",
            "Notifications handed over, refused, put off for another try, or failed by our fault",
            ["channel", "outcome"],
            registry=registry or CollectorRegistry(),
        )

    def drain(self, now: datetime) -> int:
        """Send up to eight notifications due at `now`, longest due first; return how many were tried.

        Raises:
            Unavailable: the database cannot be reached; what was claimed is sent again after the lease.
        """
        with self._database.begin() as session:
            claimed = outbox.claim(session, self._sealer, now, limit=AT_ONCE)
        if not claimed:
            return 0
        with ThreadPoolExecutor(max_workers=len(claimed)) as pool:
            for _ in pool.map(lambda each: self._deliver(each, now), claimed):
                pass
        return len(claimed)

    def run(self, stop: threading.Event) -> None:
        """Send until `stop` is set, woken by each new notification; outlives outages of the database."""
        listener: Listener | None = None
        while not stop.is_set():
            try:
                listener = listener or self._database.listen(outbox.OUTBOX_CHANNEL)
                if not self.drain(self._clock()):
                    self._rest(listener, stop)
            except Unavailable:
                log.warning("notifications wait for the database")
                if listener:
                    listener.close()
                listener = None
                stop.wait(_OUTAGE_REST_S)
        if listener:
            listener.close()

    def _deliver(self, claimed: Claimed, now: datetime) -> None:
        channel = claimed.notification.channel
        try:
            self._send(claimed, now)
        except Unavailable as error:
            log.warning("a notification waits", id=claimed.outbox_id, channel=channel, why=str(error))
            self._put_off(claimed, "retried")
        except Refused as error:
            log.warning("a notification is refused", id=claimed.outbox_id, channel=channel, why=str(error))
            self._settle(claimed, "refused", f"refused: {error}")
        except Exception as error:
            # A fault of ours in one channel or text must not stall the others. Its text could hold a code.
            log.error(
                "a notification failed", id=claimed.outbox_id, channel=channel, error=type(error).__name__
            )
            self._put_off(claimed, "failed")
        else:
            self._settle(claimed, "sent", "sent")

    def _send(self, claimed: Claimed, now: datetime) -> None:
        channel = self._channels.get(claimed.notification.channel)
        if channel is None:
            raise Refused("there is no such channel")
        channel.send(claimed.notification, now, message_id=claimed.outbox_id)

    def _settle(self, claimed: Claimed, label: str, outcome: str) -> None:
        with self._database.begin() as session:
            outbox.settle(session, claimed.outbox_id, outcome, self._clock())
        self._count(claimed, label)

    def _put_off(self, claimed: Claimed, label: str) -> None:
        with self._database.begin() as session:
            outbox.retry(session, claimed.outbox_id, self._clock() + retry_after(claimed.attempts))
        self._count(claimed, label)

    def _count(self, claimed: Claimed, label: str) -> None:
        # Rows may name a channel that this version does not have; a label must stay one of few.
        channel = claimed.notification.channel
        self._outcomes.labels(channel if channel in self._channels else "unknown", label).inc()

    def _rest(self, listener: Listener, stop: threading.Event) -> None:
        """Wait for a new notification, for one that becomes due, or for 30 s."""
        with self._database.begin() as session:
            due_at = outbox.next_due(session)
        rest_s = _LONGEST_REST_S
        if due_at is not None:
            rest_s = max(1.0, min(rest_s, (due_at - self._clock()).total_seconds()))
        while rest_s > 0 and not stop.is_set():
            step_s = min(1.0, rest_s)
            if listener.wait(step_s):
                return
            rest_s -= step_s
