"""Which positions of a batch wait until another one agrees with them. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from tracker.domain.plausibility import Fix, Fixes, Verdict, judge
from tracker.domain.position import Placed, Position
from tracker.store.devices import Owned

Key = tuple[str, datetime]
"""Device id and moment of a position."""


@dataclass(slots=True)
class Held:
    """What came of judging a batch.

    `keys` are the positions that must not become a device's last one, now. `waiting` is, by (account id,
    device id), which position waits from now on; None: none does any more. `fixes` are, by device id, its
    fixes after the batch, where they changed.
    """

    keys: set[Key] = field(default_factory=set)
    waiting: dict[tuple[str, str], Position | None] = field(default_factory=dict)
    fixes: dict[str, Fixes] = field(default_factory=dict)


def hold(placed: Sequence[Placed], owned: Mapping[str, Owned], newer: Mapping[str, Fixes]) -> Held:
    """Judge the positions of a batch one after the other.

    Each device's fixes before the batch are those of `newer`, else those that `owned` tells.
    """
    held = Held()
    before = held.fixes
    for each in placed:
        position, device_id = each.position, each.device_id
        last, waiting = before.get(device_id) or newer.get(device_id) or _before(owned[device_id])
        at_s = position.recorded_at.timestamp()
        if last is not None and at_s <= last.recorded_at:
            continue
        new = Fix(at_s, position.at.lat, position.at.lon, position.accuracy_m)
        verdict = judge(last, waiting, new)
        if verdict is Verdict.HELD:
            held.keys.add((device_id, position.recorded_at))
            held.waiting[each.account_id, device_id] = position
            before[device_id] = last, new
            continue
        if waiting is not None:
            held.waiting[each.account_id, device_id] = None
        before[device_id] = new, None
    return held


def _before(owner: Owned) -> Fixes:
    return owner.last, owner.held
