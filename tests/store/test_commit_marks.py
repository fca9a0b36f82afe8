"""How far a native device's stream is committed."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.store.family import NOW, House
from tracker.store import facts
from tracker.store.session import Session


def marks(session: Session, house: House, *seqs: int, boot: str = "b1") -> int | None:
    return facts.commit_marks(session, house.viewer.account_id, house.device.device_id, boot, seqs, NOW)


def test_an_unbroken_run_is_promised_to_its_end(session: Session, house: House) -> None:
    assert marks(session, house, 1, 2, 3) == 3
    assert marks(session, house, 4) == 4


def test_a_hole_holds_the_promise_back_until_it_is_filled(session: Session, house: House) -> None:
    assert marks(session, house, 1, 2) == 2
    assert marks(session, house, 4, 5) == 2
    assert marks(session, house, 7) == 2
    assert marks(session, house, 3) == 5
    assert marks(session, house, 6) == 7


def test_without_the_first_nothing_is_promised(session: Session, house: House) -> None:
    assert marks(session, house, 2, 3) is None
    assert marks(session, house, 1) == 3


def test_a_device_that_counts_from_zero_is_understood(session: Session, house: House) -> None:
    assert marks(session, house, 0) == 0
    assert marks(session, house, 1, 2) == 2


def test_repeats_change_nothing(session: Session, house: House) -> None:
    assert marks(session, house, 1, 2, 2, 1) == 2
    assert marks(session, house, 1, 2) == 2


def test_every_boot_counts_by_itself(session: Session, house: House) -> None:
    assert marks(session, house, 1, 2, 3, boot="b1") == 3
    assert marks(session, house, 2, boot="b2") is None
    assert marks(session, house, 1, boot="b2") == 2


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sets(st.integers(1, 12), min_size=1, max_size=4), min_size=1, max_size=8))
def test_the_promise_is_always_the_end_of_what_came_unbroken(
    session: Session, house: House, batches: list[set[int]]
) -> None:
    with session.begin_nested() as savepoint:
        came: set[int] = set()
        for batch in batches:
            came |= batch
            run = next(end for end in range(14) if end + 1 not in came)
            assert marks(session, house, *batch) == (run or None)
        savepoint.rollback()
