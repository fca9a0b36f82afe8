"""Appending positions."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from tests.store.family import NOW, House, add_device, add_house, append
from tracker.domain.geo import LatLon
from tracker.domain.position import Placed, Position
from tracker.store import devices, positions
from tracker.store.access import Access
from tracker.store.session import Database, Session


def stored(session: Session) -> int:
    count: int = session.execute(text("SELECT count(*) FROM positions")).scalar_one()
    return count


def test_every_field_comes_back_as_it_went_in(session: Session, house: House) -> None:
    full = house.fix(
        NOW,
        accuracy_m=12.5,
        altitude_m=-3.25,
        speed_mps=1.5,
        course_deg=359.5,
        battery_pct=0.0,
        charging=False,
        ignition=True,
        motion=False,
        trigger="т",
        satellites=0,
        hdop=0.75,
        odometer_m=123456789.125,
        network={"type": "wifi"},
        attrs={"ключ": [1, None, {"a": "\u2028"}]},
    )
    bare = house.fix(NOW + timedelta(microseconds=1))
    append(session, full, bare)
    read = Access(session, house.viewer).positions(
        house.subject.subject_id, since=NOW, until=NOW + timedelta(seconds=1)
    )
    assert read == [full, bare]


@pytest.mark.parametrize(
    ("lat", "lon"), [(90.0, 180.0), (-90.0, -180.0), (0.0, 24.9), (51.5, 0.0), (60.1234567891, -24.987654321)]
)
def test_places_come_back_exactly_with_the_axes_in_order(
    session: Session, house: House, lat: float, lon: float
) -> None:
    place = LatLon(lat=lat, lon=lon)
    fix = house.fix(NOW)
    moved = Placed(
        account_id=fix.account_id,
        subject_id=fix.subject_id,
        device_id=fix.device_id,
        received_at=fix.received_at,
        position=Position(recorded_at=NOW, at=place),
    )
    append(session, moved)
    (last,) = Access(session, house.viewer).last_positions()
    assert last.position.at == place


def test_a_repeat_is_stored_once_and_not_reported_as_new(session: Session, house: House) -> None:
    first = house.fix(NOW)
    assert append(session, first) == [first]
    assert append(session, house.fix(NOW, lat=10.0)) == []
    assert stored(session) == 1
    (last,) = Access(session, house.viewer).last_positions()
    assert last == first


def test_a_repeat_within_a_batch_is_stored_once(session: Session, house: House) -> None:
    first, second = house.fix(NOW), house.fix(NOW + timedelta(seconds=1))
    assert append(session, first, second, first, second, first) == [first, second]
    assert stored(session) == 2


def test_the_same_moment_of_two_devices_is_two_positions(session: Session, house: House) -> None:
    other = replace(house, device=add_device(session, house.viewer, house.subject))
    batch = [house.fix(NOW), other.fix(NOW)]
    assert append(session, *batch) == batch


def test_an_empty_batch_is_nothing(session: Session) -> None:
    assert positions.append(session, []) == []


def test_a_late_position_is_history_and_moves_no_last_position(session: Session, house: House) -> None:
    newest = house.fix(NOW, lat=61.0)
    append(session, newest)
    late = house.fix(NOW - timedelta(days=3), lat=10.0)
    assert append(session, late) == [late]
    (last,) = Access(session, house.viewer).last_positions()
    assert last == newest
    assert stored(session) == 2


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seconds=st.lists(st.integers(0, 30), min_size=1, max_size=12),
    sizes=st.lists(st.integers(1, 4), min_size=12, max_size=12),
)
def test_any_order_and_any_batches_give_the_same_positions_and_the_newest_last(
    session: Session, house: House, seconds: list[int], sizes: list[int]
) -> None:
    with session.begin_nested() as savepoint:
        fixes = [house.fix(NOW + timedelta(seconds=each)) for each in seconds]
        rest, new = list(fixes), 0
        for size in sizes:
            batch, rest = rest[:size], rest[size:]
            if batch:
                new += len(append(session, *batch))
        assert new == stored(session) == len(set(seconds))
        (last,) = Access(session, house.viewer).last_positions()
        assert last.position.recorded_at == NOW + timedelta(seconds=max(seconds))
        savepoint.rollback()


@pytest.mark.parametrize(
    ("moment", "monday"),
    [
        (datetime(2026, 11, 23, 0, 0, tzinfo=UTC), datetime(2026, 11, 23, tzinfo=UTC)),
        (datetime(2026, 11, 22, 23, 59, 59, 999999, tzinfo=UTC), datetime(2026, 11, 16, tzinfo=UTC)),
        (datetime(2027, 1, 1, tzinfo=UTC), datetime(2026, 12, 28, tzinfo=UTC)),
        (datetime(2000, 1, 1, tzinfo=UTC), datetime(1999, 12, 27, tzinfo=UTC)),
        (
            datetime(2026, 11, 23, 1, 0, tzinfo=timezone(timedelta(hours=3))),
            datetime(2026, 11, 16, tzinfo=UTC),
        ),
    ],
)
def test_a_week_begins_on_monday_midnight_utc(moment: datetime, monday: datetime) -> None:
    assert positions.week_of(moment) == monday


@pytest.mark.parametrize(
    "edge",
    [
        datetime(2026, 11, 23, tzinfo=UTC),
        datetime(2026, 12, 28, tzinfo=UTC),
        datetime(2027, 1, 1, tzinfo=UTC),
        datetime(2020, 12, 28, tzinfo=UTC),
        datetime(2021, 1, 4, tzinfo=UTC),
        datetime(2000, 1, 3, tzinfo=UTC),
    ],
)
def test_both_sides_of_every_week_and_year_edge_have_a_partition(
    session: Session, house: House, edge: datetime
) -> None:
    batch = [house.fix(edge - timedelta(microseconds=1)), house.fix(edge)]
    assert append(session, *batch) == batch
    assert append(session, *batch) == []


def test_a_batch_may_span_years(session: Session, house: House) -> None:
    batch = [house.fix(datetime(year, 6, 1, tzinfo=UTC)) for year in range(2000, 2027)]
    assert append(session, *batch) == batch


def test_pages_of_history_follow_each_other_without_gap_or_repeat(session: Session, house: House) -> None:
    other = replace(house, device=add_device(session, house.viewer, house.subject))
    batch = [each.fix(NOW + timedelta(seconds=second)) for second in range(5) for each in (house, other)]
    append(session, *batch)
    access = Access(session, house.viewer)
    read, after = [], None
    while page := access.positions(
        house.subject.subject_id, since=NOW, until=NOW + timedelta(seconds=4), after=after, limit=3
    ):
        read += page
        after = (page[-1].position.recorded_at, page[-1].device_id)
    assert [(each.position.recorded_at, each.device_id) for each in read] == sorted(
        {(each.position.recorded_at, each.device_id) for each in read},
        key=lambda each: (each[0], signed(each[1])),
    )
    assert len(read) == 8


def signed(identity: str) -> int:
    """Return an identity as the database orders it: by its signed integer."""
    number = int(identity, 16)
    return number - (1 << 64) if number >= 1 << 63 else number


def last_at(session: Session, house: House) -> datetime:
    (last,) = Access(session, house.viewer).last_positions()
    return last.position.recorded_at


def test_a_held_position_is_stored_and_does_not_become_the_last_one(session: Session, house: House) -> None:
    append(session, house.fix(NOW))
    jump = house.fix(NOW + timedelta(seconds=1), lat=10.0)
    held = {(jump.device_id, jump.position.recorded_at)}
    assert positions.append(session, [jump], held=held) == [jump]
    assert last_at(session, house) == NOW
    assert stored(session) == 2


def test_beside_a_held_position_the_newest_other_one_is_the_last(session: Session, house: House) -> None:
    append(session, house.fix(NOW))
    good, jump = house.fix(NOW + timedelta(seconds=1)), house.fix(NOW + timedelta(seconds=2), lat=10.0)
    positions.append(session, [good, jump], held={(jump.device_id, jump.position.recorded_at)})
    assert last_at(session, house) == NOW + timedelta(seconds=1)


def test_what_waits_to_be_confirmed_is_noted_and_taken_back(session: Session, house: House) -> None:
    last, jump = house.fix(NOW), house.fix(NOW + timedelta(seconds=1), lat=10.0)
    append(session, last)
    key = last.account_id, last.device_id
    positions.set_held(session, {key: jump.position})
    assert waiting(session) == (NOW + timedelta(seconds=1), 24.94, 10.0)
    positions.set_held(session, {key: None})
    assert waiting(session) == (None, None, None)


def waiting(session: Session) -> tuple[object, ...]:
    row = session.execute(text("SELECT held_at, ST_X(held_geom), ST_Y(held_geom) FROM last_positions")).one()
    return tuple(row)


def test_positions_with_large_attributes_are_stored_beside_small_ones(session: Session, house: House) -> None:
    large = house.fix(NOW, attrs={"ones": [1] * 2000})
    batch = [large, house.fix(NOW + timedelta(seconds=1), attrs={"a": 1})]
    assert append(session, *batch) == batch
    read = Access(session, house.viewer).positions(
        house.subject.subject_id, since=NOW, until=NOW + timedelta(seconds=9)
    )
    assert read == batch


def test_of_a_device_that_was_removed_nothing_stays(session: Session, house: House, neighbour: House) -> None:
    append(session, house.fix(NOW))
    devices.remove(session, house.viewer.account_id, house.device.device_id)
    positions.remove_of_device(session, house.viewer.account_id, house.device.device_id)
    kept = neighbour.fix(NOW)
    assert append(session, house.fix(NOW + timedelta(seconds=1)), kept) == [kept]
    assert stored(session) == 1


def test_the_touched_accounts_are_notified_and_no_others(database: Database) -> None:
    with database.begin() as session:
        house, neighbour = add_house(session, "+79161234567"), add_house(session, "+79169999999")
        append(session, house.fix(NOW))
    listener = database.listen(positions.LIVE_CHANNEL)
    with database.begin() as session:
        append(session, house.fix(NOW - timedelta(days=1)), neighbour.fix(NOW))
    assert listener.wait(5) == [(positions.LIVE_CHANNEL, neighbour.viewer.account_id)]
    listener.close()
