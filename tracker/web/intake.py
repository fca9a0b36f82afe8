"""What takes a message that came over HTTP, and how many one sender may hand in."""

from collections import OrderedDict
from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from tracker.domain.errors import Reason, TooMany
from tracker.ingest.origin import Origin


class Intake(Protocol):
    """Takes messages of authenticated senders."""

    def take(
        self,
        origin: Origin,
        *,
        topic: str,
        payload: bytes,
        query: str,
        headers: Mapping[str, str],
        received_at: datetime,
    ) -> Reason | None:
        """Return once the message is committed; if it, or a part, was refused for good and kept, why.

        Raises:
            Unavailable: the database is away, nothing is kept; the sender must keep it and try again.
        """
        ...


class Buckets:
    """Token buckets by sender: `rate_per_s` messages a second for long, `burst` at once after a silence.

    Of one process; the most recent `most` senders are remembered, who is forgotten has a full bucket.
    """

    def __init__(self, *, rate_per_s: float, burst: int, most: int = 100_000) -> None:
        self._rate_per_s = rate_per_s
        self._burst = burst
        self._most = most
        self._left: OrderedDict[str, tuple[float, datetime]] = OrderedDict()

    def take(self, sender_id: str, now: datetime) -> None:
        """Take one token.

        Raises:
            TooMany: the bucket is empty; says when there will be the next token.
        """
        left, at = self._left.pop(sender_id, (float(self._burst), now))
        left = min(float(self._burst), left + max(0.0, (now - at).total_seconds()) * self._rate_per_s)
        self._left[sender_id] = (left - 1, now) if left >= 1 else (left, now)
        while len(self._left) > self._most:
            self._left.popitem(last=False)
        if left < 1:
            raise TooMany(int((1 - left) / self._rate_per_s) + 1)
