"""Fairness: who sends far more than one device does waits behind the others, in bounded memory. Pure.

Each sender has a bucket of tokens, one a message. A phone that was offline for a day spends its stock at
once; one that floods for longer goes to the slow lane, which is served when the others leave room. What finds
the slow lane full is refused: counted, kept in quarantine, and not acknowledged to a device that counts
its own messages.
"""

from collections import deque
from typing import Generic, TypeVar

Item = TypeVar("Item")

DEVICE_PER_S, DEVICE_STOCK = 50.0, 2_000.0
GATEWAY_PER_S, GATEWAY_STOCK = 1_000.0, 20_000.0
SENDERS = 200_000
_ROUNDING_S = 1e-6


class Lanes(Generic[Item]):
    """Decides who may pass, and keeps who may not; times are of one monotonic clock, in seconds."""

    def __init__(self, *, slow_items: int, slow_bytes: int) -> None:
        self._slow_items = slow_items
        self._slow_bytes = slow_bytes
        # When each bucket will be full again: one number a sender (generic cell rate algorithm, ITU-T I.371).
        self._full_at_s: dict[str, float] = {}
        self._slow: deque[tuple[str, Item, int]] = deque()
        self._waiting: dict[str, int] = {}
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._slow)

    @property
    def waiting_bytes(self) -> int:
        """How many bytes wait in the slow lane."""
        return self._bytes

    def passes(self, sender: str, now_s: float, *, gateway: bool = False) -> bool:
        """Take a token of the sender's; tell whether his message may go at once.

        Who has messages in the slow lane goes there too, whatever his tokens: his order is kept.
        """
        per_s, stock = (GATEWAY_PER_S, GATEWAY_STOCK) if gateway else (DEVICE_PER_S, DEVICE_STOCK)
        full_at_s = self._full_at_s.get(sender, now_s)
        full_at_s = (full_at_s if full_at_s > now_s else now_s) + 1 / per_s
        if full_at_s - now_s > stock / per_s + _ROUNDING_S or sender in self._waiting:
            return False
        if len(self._full_at_s) >= SENDERS:
            # Who is forgotten has a full bucket: nobody gains but a flooder, who needs 200,000 others for it.
            self._full_at_s.clear()
        self._full_at_s[sender] = full_at_s
        return True

    def put(self, sender: str, item: Item, size_bytes: int) -> bool:
        """Put an item last in the slow lane; False: there is no room for it."""
        if len(self._slow) >= self._slow_items or self._bytes + size_bytes > self._slow_bytes:
            return False
        self._slow.append((sender, item, size_bytes))
        self._waiting[sender] = self._waiting.get(sender, 0) + 1
        self._bytes += size_bytes
        return True

    def take(self, most: int) -> list[tuple[Item, int]]:
        """Return up to `most` items of the slow lane with their sizes, in the order they came."""
        taken: list[tuple[Item, int]] = []
        while self._slow and len(taken) < most:
            sender, item, size_bytes = self._slow.popleft()
            self._bytes -= size_bytes
            left = self._waiting[sender] - 1
            if left:
                self._waiting[sender] = left
            else:
                del self._waiting[sender]
            taken.append((item, size_bytes))
        return taken

    def clear(self) -> None:
        """Forget what waits; whose turn it is stays known."""
        self._slow.clear()
        self._waiting.clear()
        self._bytes = 0
