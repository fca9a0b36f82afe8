"""Any order, repetition and batches of arrival: the same history."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.history.movement import Walker, day
from tracker.history.outliers import BY_ANY_MEANS, ON_FOOT
from tracker.history.track import Fix, ordered
from tracker.history.trips import history_of

steps = st.one_of(
    st.tuples(st.just("stay"), st.sampled_from([60, 300, 1500]), st.just(0), st.just(0)),
    st.tuples(
        st.just("go"), st.integers(-3000, 3000), st.integers(-3000, 3000), st.sampled_from([1.3, 4, 20])
    ),
    st.tuples(st.just("silence"), st.sampled_from([200, 1300, 9000]), st.just(0), st.just(0)),
    st.tuples(st.just("spike"), st.integers(-9000, 9000), st.integers(-9000, 9000), st.just(0)),
)


@st.composite
def movements(draw: st.DrawFn) -> list[Fix]:
    walker = Walker(
        every_s=30, seed=draw(st.integers(0, 99)), noise_m=draw(st.sampled_from([0.0, 3.0, 15.0]))
    )
    walker.fix()
    for kind, first, second, third in draw(st.lists(steps, min_size=1, max_size=8)):
        match kind:
            case "stay":
                walker.stay(first)
            case "go":
                walker.go(first, second, third)
            case "silence":
                walker.silence(first)
            case _:
                walker.spike(first, second)
    return walker.fixes


@settings(max_examples=40, deadline=None)
@given(movements(), st.randoms(use_true_random=False), st.sampled_from([BY_ANY_MEANS, ON_FOOT]))
def test_shuffled_and_repeated_fixes_give_the_same_history(fixes, shuffler, scale) -> None:  # type: ignore[no-untyped-def]
    arrived = [*fixes, *shuffler.choices(fixes, k=len(fixes) // 2)]
    shuffler.shuffle(arrived)
    assert history_of(arrived, scale) == history_of(fixes, scale)


@settings(max_examples=25, deadline=None)
@given(movements(), st.integers(1, 50), st.integers(0, 9))
def test_batches_of_any_size_with_late_ones_give_the_same_history(
    fixes: list[Fix], size: int, seed: int
) -> None:
    batches = [fixes[at : at + size] for at in range(0, len(fixes), size)]
    random.Random(seed).shuffle(batches)
    known: list[Fix] = []
    for batch in batches:
        known = ordered([*known, *batch])
    assert history_of(known) == history_of(fixes)


def test_of_two_fixes_of_one_moment_the_surer_counts_whichever_came_first() -> None:
    sure = Fix(10.0, 60.0, 24.0, 5.0)
    others = [Fix(10.0, 61.0, 24.0, 50.0), Fix(10.0, 59.0, 24.0), Fix(10.0, 60.5, 24.0, 5.0)]
    assert ordered([sure, *others]) == ordered([*others, sure]) == [sure]


def test_the_movements_tried_here_do_have_trips_stops_gaps_and_outliers() -> None:
    walker = day()
    walker.spike(30_000, 0).stay(600)
    told = history_of(walker.fixes)
    assert told.trips
    assert told.stops
    assert told.gaps
    assert told.wrong
