"""How far a native device's stream is committed."""

from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from tests.store.family import NOW, House
from tracker.store import facts
from tracker.store.session import Session


def marks(session: Session, house: House, *seqs: int, boot: str = "b1") -> int | None:
    device_id = house.device.device_id
    stream = (house.viewer.account_id, device_id, boot, seqs)
    return facts.commit_marks_many(session, [stream], NOW)[device_id, boot]


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


def test_many_streams_are_answered_each_by_its_own(session: Session, house: House, neighbour: House) -> None:
    mine, theirs = key(house), key(neighbour)
    marks(session, house, 1, 2)
    done = facts.commit_marks_many(
        session, [(*mine, "b1", [3, 5]), (*mine, "b2", [2]), (*theirs, "b1", [1])], NOW
    )
    assert done == {(mine[1], "b1"): 3, (mine[1], "b2"): None, (theirs[1], "b1"): 1}
    assert facts.commit_marks_many(session, [], NOW) == {}


def test_a_device_keeps_its_newest_boots_and_no_others(
    session: Session, house: House, neighbour: House
) -> None:
    marks(session, neighbour, 1)
    for number in range(20):
        moment = NOW + timedelta(seconds=number)
        assert facts.commit_marks_many(session, [(*key(house), f"b{number}", [1])], moment)
    kept = session.execute(select(facts.streams.c.boot).order_by(facts.streams.c.changed_at)).scalars().all()
    assert kept == ["b1", *(f"b{number}" for number in range(12, 20))]


def test_endless_holes_take_bounded_room_and_can_still_be_filled(session: Session, house: House) -> None:
    for begin in range(1, 20_000, 2000):
        marks(session, house, *range(begin + 2, begin + 2000, 2))
    size = select(func.pg_column_size(facts.streams.c.received))
    assert session.execute(size).scalar_one() < 64 * 1024
    assert marks(session, house, *range(1, 1001)) is not None
    assert marks(session, house, *range(1, 20_001)) == 20_000


def key(house: House) -> tuple[str, str]:
    return house.viewer.account_id, house.device.device_id
