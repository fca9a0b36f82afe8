"""What the messages of a batch come to, taken together in one pass. Pure.

It runs for every position; that it is one loop and not a function for each question saves a fifth of the
writer's time.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from tracker.domain.errors import Reason
from tracker.domain.position import HeardFact, Placed, Position
from tracker.ingest.resolve import Entry
from tracker.store.devices import Owned

Key = tuple[str, str]
"""Account id and device id."""


class Gathered:
    """Positions in the order they came, and what the devices told besides.

    `presence` is what each device said last of being online; a position after a last will says it too, since
    OwnTracks has no other word for being back. `streams` are the places done with, by account, device
    and boot.
    """

    __slots__ = ("facts", "owned", "placed", "presence", "streams")

    def __init__(self) -> None:
        self.placed: list[Placed] = []
        self.owned: dict[str, Owned] = {}
        self.facts: list[HeardFact] = []
        self.presence: dict[Key, bool] = {}
        self.streams: dict[tuple[str, str, str], set[int]] = defaultdict(set)

    def place(self, owner: Owned, position: Position, received_at: datetime) -> None:
        """Add a position of a device."""
        self.owned[owner.device_id] = owner
        self.placed.append(place(owner, position, received_at))


def place(owner: Owned, position: Position, received_at: datetime) -> Placed:
    """Return a position with whose it is."""
    return Placed(owner.account_id, owner.subject_id, owner.device_id, received_at, position)


def gather(entries: Sequence[Entry]) -> Gathered:
    """Return what the messages come to."""
    gathered = Gathered()
    placed, owned, presence = gathered.placed, gathered.owned, gathered.presence
    for entry in entries:
        received_at = entry.arrived.received_at
        for owner, report in entry.about:
            _, position, fact, mark = report
            if position is not None:
                device_id = owner.device_id
                owned[device_id] = owner
                placed.append(Placed(owner.account_id, owner.subject_id, device_id, received_at, position))
                if (owner.online is False or presence) and not entry.arrived.retained:
                    _note_back(presence, owner)
            if fact is not None:
                account_id, device_id = owner.account_id, owner.device_id
                gathered.facts.append(HeardFact(account_id, owner.subject_id, device_id, received_at, fact))
                if fact.kind == "presence":
                    presence[account_id, device_id] = bool(fact.data["online"])
            if mark is not None and entry.sender is owner:
                gathered.streams[owner.account_id, owner.device_id, mark.boot].add(mark.seq)
        if entry.refused is not None or entry.decoded.problems:
            _add_refused_marks(gathered, entry)
    return gathered


def _note_back(presence: dict[Key, bool], owner: Owned) -> None:
    key = owner.account_id, owner.device_id
    if presence.get(key, owner.online) is False:
        presence[key] = True


def _add_refused_marks(gathered: Gathered, entry: Entry) -> None:
    """Count what was refused for good as done with: the device would send it for ever."""
    sender = entry.sender
    # What was refused for coming too fast may come again: the device keeps it.
    if not isinstance(sender, Owned) or (entry.refused and entry.refused.reason is Reason.OVER_RATE):
        return
    for mark in entry.marks:
        gathered.streams[sender.account_id, sender.device_id, mark.boot].add(mark.seq)
