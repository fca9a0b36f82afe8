"""Decides when what has gathered is worth a transaction: by count, by bytes, or by age. Pure."""

from typing import Generic, TypeVar

Item = TypeVar("Item")


class Batch(Generic[Item]):
    """Gathers items until there are `limit` of them, or `limit_bytes`, or the first is `linger_s` old.

    Times are of one monotonic clock, in seconds. What is full still takes items: the caller stops reading.
    """

    def __init__(self, *, limit: int, limit_bytes: int, linger_s: float) -> None:
        self._limit = limit
        self._limit_bytes = limit_bytes
        self._linger_s = linger_s
        self._items: list[Item] = []
        self._bytes = 0
        self._began_s = 0.0

    def __len__(self) -> int:
        return len(self._items)

    def add(self, item: Item, size_bytes: int, now_s: float) -> None:
        """Put an item last."""
        if not self._items:
            self._began_s = now_s
        self._items.append(item)
        self._bytes += size_bytes

    @property
    def full(self) -> bool:
        """Whether the batch has its number of items or bytes."""
        return len(self._items) >= self._limit or self._bytes >= self._limit_bytes

    def due(self, now_s: float) -> bool:
        """Tell whether the batch should go: it is full, or its first item has waited long enough."""
        return self.full or (bool(self._items) and now_s - self._began_s >= self._linger_s)

    def wait_s(self, now_s: float) -> float | None:
        """Return how long until the batch is due, at least 0; None while it is empty."""
        if not self._items:
            return None
        return 0.0 if self.full else max(0.0, self._began_s + self._linger_s - now_s)

    def take(self) -> list[Item]:
        """Return the items in the order they came, and begin anew."""
        items, self._items, self._bytes = self._items, [], 0
        return items
