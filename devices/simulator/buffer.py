"""Store and forward: a position leaves a device's memory only when the service says that it is committed.

The broker's PUBACK is no promise of durability (a broker killed before it saved its memory forgets what it
acknowledged), so a native device numbers its positions 1, 2, 3… within one start (`boot`) and keeps each
until an application acknowledgement covers it. That acknowledgement is cumulative: "everything of this boot
up to here".

Positions are sent strictly in order, and after a doubt (a new connection, no progress for a while) the
device begins again with the oldest that it keeps (go-back-N). So on one connection no position is ever sent
before an older one that the service may lack. It begins with that one alone and doubles what it sends with
every acknowledgement, because the answer to the first often covers all the others: without this, 40 devices
repeating whole windows of 200 every 5 seconds to a service that had been killed sent nine times what they
had to say, and delayed its recovery.
"""

from collections import deque
from dataclasses import dataclass
from itertools import islice
from typing import Generic, TypeVar

T = TypeVar("T")

UNBOUNDED = 1 << 30


class BufferFull(RuntimeError):
    """The device's memory is full; the position was not taken. Try again after an acknowledgement."""


@dataclass(frozen=True, slots=True)
class Held(Generic[T]):
    """One position in memory under its number within the boot."""

    seq: int
    item: T


class Buffer(Generic[T]):
    """Positions of one boot, oldest first, from the first that is not known to be committed.

    `capacity` bounds the memory: what is kept never exceeds it. Times are seconds of any monotonic clock.
    """

    def __init__(self, *, boot: str, capacity: int) -> None:
        if capacity < 1:
            raise ValueError("capacity: at least 1")
        self.boot = boot
        self._capacity = capacity
        self._held: deque[Held[T]] = deque()
        self._sent = 0
        self._allowed = UNBOUNDED
        self._last_seq = 0
        self._progress_at_s = 0.0

    def __len__(self) -> int:
        """How many positions are kept: sent and waiting for an acknowledgement, or not sent yet."""
        return len(self._held)

    @property
    def full(self) -> bool:
        """True when `add` would raise."""
        return len(self._held) >= self._capacity

    @property
    def last_seq(self) -> int:
        """The number given last; 0 before the first position."""
        return self._last_seq

    def add(self, item: T) -> int:
        """Keep an item and return its number.

        Raises: BufferFull.
        """
        if self.full:
            raise BufferFull(f"{self._capacity} positions are waiting")
        self._last_seq += 1
        self._held.append(Held(seq=self._last_seq, item=item))
        return self._last_seq

    def take(self, *, window: int, most: int, now_s: float) -> tuple[Held[T], ...]:
        """The next items to send, oldest first: at most `most`, and no more than `window` sent without
        acknowledgement.

        They stay in memory. Empty when nothing is to be sent.
        """
        room = min(most, min(window, self._allowed) - self._sent, len(self._held) - self._sent)
        if room <= 0:
            return ()
        if self._sent == 0:
            self._progress_at_s = now_s
        taken = tuple(islice(self._held, self._sent, self._sent + room))
        self._sent += room
        return taken

    def acknowledge(self, *, boot: str, seq: int, now_s: float) -> tuple[Held[T], ...]:
        """Release everything up to and including `seq` and return it, oldest first.

        An acknowledgement of another boot, an old one and one beyond the last number given release nothing:
        the last cannot be true, and forgetting a position because of it could not be undone.
        """
        if boot != self.boot or seq > self._last_seq:
            return ()
        released = []
        while self._held and self._held[0].seq <= seq:
            released.append(self._held.popleft())
        if released:
            self._sent = max(0, self._sent - len(released))
            self._allowed = min(self._allowed * 2, UNBOUNDED)
            self._progress_at_s = now_s
        return tuple(released)

    def rewind(self) -> None:
        """Forget what was sent: `take` begins again with the oldest kept item, and with that one alone."""
        if self._sent:
            self._sent = 0
            self._allowed = 1

    def stalled(self, *, patience_s: float, now_s: float) -> bool:
        """True when something was sent and no acknowledgement has released anything for longer than
        `patience_s`."""
        return self._sent > 0 and now_s - self._progress_at_s > patience_s
