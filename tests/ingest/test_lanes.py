"""Who floods waits behind the others, in his order and in bounded memory."""

from hypothesis import given
from hypothesis import strategies as st

from tracker.ingest.lanes import DEVICE_PER_S, DEVICE_STOCK, GATEWAY_STOCK, Lanes


def lanes(items: int = 100, size_bytes: int = 10_000) -> Lanes[int]:
    return Lanes(slow_items=items, slow_bytes=size_bytes)


def test_a_phone_back_from_a_day_offline_is_not_slowed() -> None:
    made = lanes()
    assert all(made.passes("a", 0.0) for _ in range(int(DEVICE_STOCK)))
    assert not made.passes("a", 0.0)


def test_tokens_come_back_with_time() -> None:
    made = lanes()
    while made.passes("a", 0.0):
        pass
    passed = 0
    while made.passes("a", 10.0):
        passed += 1
    assert passed == DEVICE_PER_S * 10


def test_a_gateway_may_send_for_many() -> None:
    made = lanes()
    assert all(made.passes("g", 0.0, gateway=True) for _ in range(int(GATEWAY_STOCK)))
    assert not made.passes("g", 0.0, gateway=True)


def test_one_who_floods_slows_nobody_else() -> None:
    made = lanes()
    while made.passes("flooder", 0.0):
        pass
    assert made.passes("other", 0.0)


def test_who_waits_is_not_overtaken_by_himself() -> None:
    made = lanes()
    while made.passes("a", 0.0):
        pass
    made.put("a", 1, 10)
    assert not made.passes("a", 1e6), "his earlier message still waits"
    assert made.take(5) == [(1, 10)]
    assert made.passes("a", 1e6)


def test_the_slow_lane_is_bounded_in_items_and_bytes() -> None:
    made = lanes(items=3, size_bytes=100)
    assert [made.put("a", number, 1) for number in range(4)] == [True, True, True, False]
    made.clear()
    assert made.put("a", 1, 60)
    assert not made.put("a", 2, 60)
    assert made.waiting_bytes == 60


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 50)), max_size=60), st.integers(1, 7))
def test_each_sender_keeps_his_order_and_nothing_is_lost(
    messages: list[tuple[str, int]], at_once: int
) -> None:
    made: Lanes[tuple[str, int]] = Lanes(slow_items=1000, slow_bytes=10**6)
    for number, (sender, size) in enumerate(messages):
        assert made.put(sender, (sender, number), size)
    taken = []
    while len(made):
        taken += [item for item, _ in made.take(at_once)]
    assert taken == [(sender, number) for number, (sender, _) in enumerate(messages)]
    assert made.waiting_bytes == 0
