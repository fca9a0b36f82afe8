"""Positions, partitioned by the week they were recorded in, and the last one of each device."""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Any

from geoalchemy2 import Geometry
from sqlalchemy import REAL, Boolean, Column, Float, Row, SmallInteger, Table, Text, func, select, text
from sqlalchemy.dialects.postgresql import JSONB

from tracker.domain.position import Placed, Position
from tracker.store.geo import from_lonlat
from tracker.store.positions_append import LIVE_CHANNEL, append, set_held
from tracker.store.schema import Id, id_to_int, metadata, moment
from tracker.store.session import Session

__all__ = [
    "LIVE_CHANNEL",
    "append",
    "ensure_partitions",
    "last_positions",
    "move_last",
    "placed",
    "positions",
    "remove_of_device",
    "set_held",
    "value",
    "week_of",
]


def _fix_columns() -> list[Column[Any]]:
    return [
        moment("received_at"),
        Column("geom", Geometry("POINT", srid=4326, spatial_index=False), nullable=False),
        Column("odometer_m", Float),
        Column("accuracy_m", REAL),
        Column("altitude_m", REAL),
        Column("speed_mps", REAL),
        Column("course_deg", REAL),
        Column("battery_pct", REAL),
        Column("hdop", REAL),
        Column("satellites", SmallInteger),
        Column("charging", Boolean),
        Column("ignition", Boolean),
        Column("motion", Boolean),
        Column("trigger", Text),
        Column("network", JSONB),
        Column("attrs", JSONB),
    ]


positions = Table(
    "positions",
    metadata,
    Column("account_id", Id, primary_key=True, autoincrement=False),
    Column("device_id", Id, primary_key=True, autoincrement=False),
    moment("recorded_at", primary_key=True),
    *_fix_columns(),
    postgresql_partition_by="RANGE (recorded_at)",
)

last_positions = Table(
    "last_positions",
    metadata,
    Column("account_id", Id, primary_key=True, autoincrement=False),
    Column("device_id", Id, primary_key=True, autoincrement=False),
    Column("subject_id", Id, nullable=False),
    moment("recorded_at"),
    *_fix_columns(),
    moment("held_at", nullable=True),
    Column("held_geom", Geometry("POINT", srid=4326, spatial_index=False)),
    moment("updated_at"),
    # No index but the key: with room in the page an update that changes no indexed column writes none.
    postgresql_with={"fillfactor": "50"},
)

WEEKLY_FROM = datetime(2024, 12, 30, tzinfo=UTC)
"""Monday of week 1 of 2025. What is older lies in partitions of a year, so that no history, true or made up,
makes more than 26 of them."""


def week_of(moment_: datetime) -> datetime:
    """Return the start of the ISO week, Monday 00:00 UTC, that a moment lies in."""
    day = moment_.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return day - timedelta(days=day.weekday())


def ensure_partitions(session: Session, weeks: Collection[datetime]) -> None:
    """Make the partitions that hold the given weeks (as `week_of` gives them) and do not exist yet."""
    for name, begin, end in sorted({_partition(week) for week in weeks}):
        if _exists(session, name):
            continue
        # Two ingest processes may meet the same new week: one makes it, the other waits and finds it.
        session.execute(text("SELECT pg_advisory_xact_lock(hashtext('positions partitions'))"))
        session.execute(
            text(
                f"CREATE TABLE IF NOT EXISTS {name} PARTITION OF positions FOR VALUES"
                f" FROM ('{begin.isoformat()}') TO ('{end.isoformat()}')"
            )
        )


def _partition(week: datetime) -> tuple[str, datetime, datetime]:
    """Return name, begin and end of the partition that holds a week; years are those of ISO weeks."""
    year, number, _ = week.isocalendar()
    if week >= WEEKLY_FROM:
        return f"positions_{year}w{number:02d}", week, week + timedelta(days=7)
    begin, end = (datetime.fromisocalendar(each, 1, 1).replace(tzinfo=UTC) for each in (year, year + 1))
    return f"positions_{year}", begin, end


def _exists(session: Session, name: str) -> bool:
    return session.execute(select(func.to_regclass(name))).scalar_one() is not None


LON, LAT = func.ST_X, func.ST_Y


def value(row: Row[Any]) -> Position:
    """Return the position of a row that carries `lon` and `lat` beside the columns."""
    return Position(
        recorded_at=row.recorded_at,
        at=from_lonlat(row.lon, row.lat),
        accuracy_m=row.accuracy_m,
        altitude_m=row.altitude_m,
        speed_mps=row.speed_mps,
        course_deg=row.course_deg,
        battery_pct=row.battery_pct,
        charging=row.charging,
        ignition=row.ignition,
        motion=row.motion,
        trigger=row.trigger,
        satellites=row.satellites,
        hdop=row.hdop,
        odometer_m=row.odometer_m,
        network=row.network or {},
        attrs=row.attrs or {},
    )


def placed(row: Row[Any], subject_id: str) -> Placed:
    """Return the position of a row together with whose it is; `value` says what the row must carry."""
    return Placed(
        account_id=row.account_id,
        subject_id=subject_id,
        device_id=row.device_id,
        received_at=row.received_at,
        position=value(row),
    )


def remove_of_device(session: Session, account_id: str, device_id: str) -> None:
    """Delete every position of a device, the last one included.

    A batch that is being stored meanwhile keeps the device's row or its last position locked (`append`): both
    are waited for before its positions are deleted, so that none of that batch stays behind.
    """
    session.execute(
        text("SELECT FROM devices WHERE device_id = :id FOR UPDATE"), {"id": id_to_int(device_id)}
    )
    for table in (last_positions, positions):
        session.execute(
            table.delete().where(table.c.account_id == account_id, table.c.device_id == device_id)
        )


def move_last(session: Session, account_id: str, device_id: str, subject_id: str) -> None:
    """Let the last position of a device count for another subject."""
    session.execute(
        last_positions.update()
        .where(last_positions.c.account_id == account_id, last_positions.c.device_id == device_id)
        .values(subject_id=subject_id)
    )
