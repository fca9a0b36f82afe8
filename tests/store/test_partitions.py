"""Which partitions positions lie in."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from tests.store.family import House, append
from tracker.domain.position import EARLIEST
from tracker.store import positions
from tracker.store.session import Session


def partitions(session: Session) -> set[str]:
    """Return the names of all partitions of positions."""
    names = "SELECT relname FROM pg_inherits JOIN pg_class ON inhrelid = pg_class.oid"
    return set(session.execute(text(f"{names} WHERE inhparent = 'positions'::regclass")).scalars())


def test_a_device_cannot_make_more_old_partitions_than_there_are_years(session: Session) -> None:
    before = partitions(session)
    week, weeks = positions.week_of(EARLIEST), set()
    while week < positions.WEEKLY_FROM:
        weeks.add(week)
        week += timedelta(days=7)
    positions.ensure_partitions(session, weeks)
    made = partitions(session) - before
    assert made == {f"positions_{year}" for year in range(1999, 2025)}


def test_recent_positions_lie_in_partitions_of_a_week(session: Session) -> None:
    before = partitions(session)
    positions.ensure_partitions(session, {positions.WEEKLY_FROM, datetime(2025, 12, 29, tzinfo=UTC)})
    assert partitions(session) - before == {"positions_2025w01", "positions_2026w01"}


@pytest.mark.parametrize("edge", [positions.WEEKLY_FROM, datetime(2021, 1, 4, tzinfo=UTC)])
def test_both_sides_of_the_edges_of_old_years_are_stored(
    session: Session, house: House, edge: datetime
) -> None:
    batch = [house.fix(edge - timedelta(microseconds=1)), house.fix(edge)]
    assert append(session, *batch) == batch
    rows = session.execute(text("SELECT tableoid::regclass::text FROM positions ORDER BY recorded_at"))
    year = edge.isocalendar().year
    own = f"positions_{year}w01" if edge >= positions.WEEKLY_FROM else f"positions_{year}"
    assert rows.scalars().all() == [f"positions_{year - 1}", own]


def test_what_was_made_once_is_left_as_it_is(session: Session, house: House) -> None:
    old = house.fix(datetime(2010, 6, 1, tzinfo=UTC))
    assert append(session, old) == [old]
    assert append(session, old, house.fix(datetime(2010, 12, 1, tzinfo=UTC))) != []
