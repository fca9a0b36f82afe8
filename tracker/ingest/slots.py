"""Which ingest process serves which part of the topics. Pure.

The sixteen shards are divided among a fixed number of slots, each one broker user with one persistent
session. A slot is leased by one process at a time; its session, backlog included, goes on under the next.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

SHARDS = "0123456789abcdef"


@dataclass(frozen=True, slots=True)
class Plan:
    """What a process does next: keep and renew, take anew, hand over once its messages are done."""

    keep: frozenset[int]
    take: frozenset[int]
    give: frozenset[int]


def shards_of(slot: int, slots: int) -> list[str]:
    """Return the shards that slot number `slot` of `slots` serves."""
    return [shard for number, shard in enumerate(SHARDS) if number % slots == slot]


def plan(slots: Sequence[int], holders: Mapping[int, int], me: int, alive: Collection[int]) -> Plan:
    """Return what `me` does about the slots, of which `holders` says which process holds it.

    Each of the living processes has an equal share, the first in the order of their numbers one more while it
    does not come out even. A process takes only what is free and gives only what is above its share, so any
    number of them that look one after the other come to rest.
    """
    order = sorted({*alive, me})
    share, rest = divmod(len(slots), len(order))
    quota = share + (order.index(me) < rest)
    mine = [slot for slot in slots if holders.get(slot) == me]
    free = [slot for slot in slots if slot not in holders]
    return Plan(
        keep=frozenset(mine),
        take=frozenset(free[: max(0, quota - len(mine))]),
        give=frozenset(mine[quota:]),
    )
