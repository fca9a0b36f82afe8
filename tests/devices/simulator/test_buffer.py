"""Store and forward: nothing is forgotten before it is acknowledged, nothing is sent out of order."""

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from devices.simulator.buffer import Buffer, BufferFull


def filled(count: int, *, capacity: int = 100) -> Buffer[int]:
    buffer: Buffer[int] = Buffer(boot="b1", capacity=capacity)
    for number in range(1, count + 1):
        buffer.add(number * 10)
    return buffer


def taken(buffer: Buffer[int], *, window: int = 100, most: int = 100, now_s: float = 0) -> list[int]:
    return [held.seq for held in buffer.take(window=window, most=most, now_s=now_s)]


def test_numbers_begin_at_one_and_have_no_holes() -> None:
    buffer: Buffer[str] = Buffer(boot="b1", capacity=3)
    assert [buffer.add("x") for _ in range(3)] == [1, 2, 3]


def test_full_memory_takes_no_more_and_gives_no_number() -> None:
    buffer = filled(2, capacity=2)
    with pytest.raises(BufferFull):
        buffer.add(1)
    assert buffer.last_seq == 2


def test_taken_items_stay_until_acknowledged() -> None:
    buffer = filled(3)
    assert taken(buffer) == [1, 2, 3]
    assert len(buffer) == 3


def test_acknowledgement_releases_everything_up_to_it() -> None:
    buffer = filled(5)
    taken(buffer)
    released = buffer.acknowledge(boot="b1", seq=3, now_s=1)
    assert [(held.seq, held.item) for held in released] == [(1, 10), (2, 20), (3, 30)]
    assert len(buffer) == 2


def test_same_acknowledgement_again_releases_nothing() -> None:
    buffer = filled(5)
    taken(buffer)
    buffer.acknowledge(boot="b1", seq=3, now_s=1)
    assert buffer.acknowledge(boot="b1", seq=3, now_s=2) == ()
    assert buffer.acknowledge(boot="b1", seq=1, now_s=2) == ()


def test_acknowledgement_of_an_earlier_start_releases_nothing() -> None:
    buffer = filled(5)
    taken(buffer)
    assert buffer.acknowledge(boot="b0", seq=5, now_s=1) == ()
    assert len(buffer) == 5


def test_acknowledgement_of_what_was_never_numbered_releases_nothing() -> None:
    buffer = filled(5)
    taken(buffer)
    assert buffer.acknowledge(boot="b1", seq=6, now_s=1) == ()
    assert len(buffer) == 5


def test_late_acknowledgement_releases_what_was_rewound() -> None:
    buffer = filled(5)
    taken(buffer)
    buffer.rewind()
    buffer.acknowledge(boot="b1", seq=2, now_s=1)
    assert taken(buffer) == [3, 4]


def test_rewind_begins_with_the_oldest_alone() -> None:
    buffer = filled(4)
    taken(buffer)
    buffer.acknowledge(boot="b1", seq=1, now_s=1)
    buffer.rewind()
    assert taken(buffer) == [2]
    assert taken(buffer) == []


def test_every_acknowledgement_after_a_rewind_doubles_what_is_sent() -> None:
    buffer = filled(40)
    taken(buffer)
    buffer.rewind()
    sent = [taken(buffer)]
    for _ in range(3):
        buffer.acknowledge(boot="b1", seq=sent[-1][-1], now_s=1)
        sent.append(taken(buffer))
    assert sent == [[1], [2, 3], [4, 5, 6, 7], [8, 9, 10, 11, 12, 13, 14, 15]]


def test_answer_to_the_oldest_covers_all_that_arrived_before() -> None:
    buffer = filled(40)
    taken(buffer, window=30)
    buffer.rewind()
    taken(buffer, window=30)
    buffer.acknowledge(boot="b1", seq=30, now_s=1)
    assert taken(buffer, window=30) == [31, 32]


def test_rewind_of_what_was_never_sent_limits_nothing() -> None:
    buffer = filled(5)
    buffer.rewind()
    assert taken(buffer) == [1, 2, 3, 4, 5]


def test_window_bounds_what_is_sent_without_acknowledgement() -> None:
    buffer = filled(10)
    assert taken(buffer, window=4) == [1, 2, 3, 4]
    assert taken(buffer, window=4) == []
    buffer.acknowledge(boot="b1", seq=2, now_s=1)
    assert taken(buffer, window=4) == [5, 6]


def test_message_size_bounds_one_take() -> None:
    buffer = filled(5)
    assert taken(buffer, most=2) == [1, 2]
    assert taken(buffer, most=2) == [3, 4]
    assert taken(buffer, most=2) == [5]


def test_stall_is_silence_since_the_last_progress() -> None:
    buffer = filled(5)
    assert not buffer.stalled(patience_s=10, now_s=1000)
    taken(buffer, now_s=1000)
    assert not buffer.stalled(patience_s=10, now_s=1010)
    assert buffer.stalled(patience_s=10, now_s=1010.1)
    buffer.acknowledge(boot="b1", seq=1, now_s=1011)
    assert not buffer.stalled(patience_s=10, now_s=1020)
    assert buffer.stalled(patience_s=10, now_s=1022)


def test_idle_device_that_starts_sending_is_not_stalled() -> None:
    buffer = filled(1)
    taken(buffer, now_s=0)
    buffer.acknowledge(boot="b1", seq=1, now_s=1)
    buffer.add(5)
    taken(buffer, now_s=500)
    assert not buffer.stalled(patience_s=10, now_s=501)


class OrderAndSafety(RuleBasedStateMachine):
    """Whatever order things happen in: on one connection numbers go up by one, from the oldest that is
    kept."""

    def __init__(self) -> None:
        super().__init__()
        self.buffer: Buffer[int] = Buffer(boot="b", capacity=8)
        self.expected = 1
        self.acknowledged = 0
        self.added = 0
        self.released: list[int] = []

    @rule()
    def add(self) -> None:
        if self.buffer.full:
            return
        self.added += 1
        assert self.buffer.add(self.added) == self.added

    @rule(window=st.integers(1, 8), most=st.integers(1, 4))
    def take(self, window: int, most: int) -> None:
        for held in self.buffer.take(window=window, most=most, now_s=0):
            assert held.seq == self.expected
            self.expected += 1

    @rule()
    def reconnect(self) -> None:
        self.buffer.rewind()
        self.expected = self.acknowledged + 1

    @rule(seq=st.integers(0, 60))
    def acknowledge(self, seq: int) -> None:
        self.released += [held.seq for held in self.buffer.acknowledge(boot="b", seq=seq, now_s=0)]
        if seq <= self.added:
            self.acknowledged = max(self.acknowledged, seq)
            self.expected = max(self.expected, self.acknowledged + 1)

    @invariant()
    def released_is_exactly_what_was_acknowledged(self) -> None:
        assert self.released == list(range(1, self.acknowledged + 1))
        assert len(self.buffer) == self.added - self.acknowledged


TestOrderAndSafety = OrderAndSafety.TestCase
