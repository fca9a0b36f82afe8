"""The shards are shared out evenly, each to one process, and none is left alone."""

from hypothesis import given
from hypothesis import strategies as st

from tracker.ingest.slots import SHARDS, plan, shards_of

SLOTS = (0, 1, 2, 3)


def settle(slots: tuple[int, ...], alive: list[int], holders: dict[int, int]) -> dict[int, int]:
    """Let the processes look one after the other until nothing changes."""
    for _ in range(2 * len(slots) + 2):
        before = dict(holders)
        for me in alive:
            decided = plan(slots, holders, me, alive)
            assert not decided.take & holders.keys(), "only what is free is taken"
            assert decided.give <= decided.keep
            holders.update(dict.fromkeys(decided.take, me))
            for slot in decided.give:
                del holders[slot]
        if holders == before:
            return holders
    raise AssertionError("they never come to rest")


def test_every_shard_belongs_to_exactly_one_slot() -> None:
    for slots in (1, 2, 3, 4, 16):
        shared = [shard for slot in range(slots) for shard in shards_of(slot, slots)]
        assert sorted(shared) == list(SHARDS)


@given(st.integers(1, 6), st.integers(1, 16), st.data())
def test_any_number_of_processes_come_to_rest_with_equal_shares(
    processes: int, slots: int, data: st.DataObject
) -> None:
    names = tuple(range(slots))
    alive = [100 + number for number in range(processes)]
    holders = data.draw(st.dictionaries(st.sampled_from(names), st.sampled_from(alive)))
    settled = settle(names, alive, holders)
    assert settled.keys() == set(names)
    shares = [list(settled.values()).count(me) for me in alive]
    assert max(shares) - min(shares) <= 1


def test_the_slots_of_a_dead_process_are_taken_by_the_living() -> None:
    holders = settle(SLOTS, [7, 8], {})
    living = {slot: holder for slot, holder in holders.items() if holder == 8}
    assert set(settle(SLOTS, [8], living).values()) == {8}
