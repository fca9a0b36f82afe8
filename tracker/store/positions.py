"""Positions, partitioned by the week they were recorded in, and the last one of each device."""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import psycopg
from geoalchemy2 import Geometry
from sqlalchemy import REAL, Boolean, Column, Float, Index, Row, SmallInteger, Table, Text, func, select, text
from sqlalchemy.dialects.postgresql import JSONB

from tracker.domain.position import Placed, Position
from tracker.store.geo import from_lonlat
from tracker.store.positions_copy import COLUMNS, packed
from tracker.store.schema import Id, id_from_int, metadata, moment
from tracker.store.session import Session

LIVE_CHANNEL = "tracker_live"
"""NOTIFY channel: the payload is the account id whose last positions changed."""


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
    Index("ix_last_positions_account_id_updated_at", "account_id", "updated_at"),
    postgresql_with={"fillfactor": "50"},
)

_FIX_NAMES = COLUMNS.partition("recorded_at, ")[2]

_STAGE = """
CREATE TEMP TABLE IF NOT EXISTS stage_positions (LIKE positions INCLUDING DEFAULTS) ON COMMIT DELETE ROWS
"""
_APPEND = f"""
INSERT INTO positions ({COLUMNS}) SELECT {COLUMNS} FROM stage_positions
ON CONFLICT DO NOTHING RETURNING device_id, recorded_at
"""  # noqa: S608 - names of columns, no input
_MOVE_LAST = f"""
INSERT INTO last_positions (account_id, device_id, subject_id, recorded_at, {_FIX_NAMES}, updated_at)
SELECT DISTINCT ON (stage.account_id, stage.device_id)
       stage.account_id, stage.device_id, device.subject_id, stage.recorded_at,
       {", ".join("stage." + name.strip() for name in _FIX_NAMES.split(","))}, clock_timestamp()
FROM stage_positions AS stage JOIN devices AS device USING (account_id, device_id)
ORDER BY stage.account_id, stage.device_id, stage.recorded_at DESC
ON CONFLICT (account_id, device_id) DO UPDATE SET
  (subject_id, recorded_at, {_FIX_NAMES}, updated_at) =
  (excluded.subject_id, excluded.recorded_at,
   {", ".join("excluded." + name.strip() for name in _FIX_NAMES.split(","))}, excluded.updated_at)
WHERE excluded.recorded_at > last_positions.recorded_at
RETURNING account_id
"""  # noqa: S608 - names of columns, no input


def _cursor(session: Session) -> psycopg.Cursor[Any]:
    # `Database` builds no engine but psycopg's.
    connection = cast("psycopg.Connection[Any]", session.connection().connection.dbapi_connection)
    return connection.cursor()


def week_of(moment_: datetime) -> datetime:
    """Return the start of the ISO week, Monday 00:00 UTC, that a moment lies in."""
    day = moment_.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return day - timedelta(days=day.weekday())


def ensure_partitions(session: Session, weeks: Collection[datetime]) -> None:
    """Make the partitions of the given weeks (as `week_of` gives them) that do not exist yet."""
    for week in sorted(weeks):
        year, number, _ = week.isocalendar()
        name = f"positions_{year}w{number:02d}"
        if session.execute(select(func.to_regclass(name))).scalar_one() is not None:
            continue
        # Two ingest processes may meet the same new week: one makes it, the other waits and finds it.
        session.execute(text("SELECT pg_advisory_xact_lock(hashtext('positions partitions'))"))
        session.execute(
            text(
                f"CREATE TABLE IF NOT EXISTS {name} PARTITION OF positions FOR VALUES"
                f" FROM ('{week.isoformat()}') TO ('{(week + timedelta(days=7)).isoformat()}')"
            )
        )


def append(session: Session, batch: Sequence[Placed]) -> list[Placed]:
    """Store a batch and move the last positions on; return only what was new, in the batch's order.

    The same (device, moment) twice is stored once, the first time. Last positions move only to later
    moments. The partitions must exist (`ensure_partitions`). Touched accounts are notified at commit.
    """
    if not batch:
        return []
    cursor = _cursor(session)
    cursor.execute(_STAGE)
    with cursor.copy(f"COPY stage_positions ({COLUMNS}) FROM STDIN (FORMAT BINARY)") as copy:
        copy.write(packed(batch))
    cursor.execute(_APPEND)
    if cursor.rowcount == 0:
        cursor.execute("TRUNCATE stage_positions")
        return []
    fresh = {(id_from_int(device), moment_) for device, moment_ in cursor.fetchall()}
    cursor.execute(_MOVE_LAST)
    touched = sorted({id_from_int(row[0]) for row in cursor.fetchall()})
    cursor.execute("SELECT pg_notify(%s, id) FROM unnest(%s::text[]) AS id", (LIVE_CHANNEL, touched))
    # A savepoint replay appends several times in one transaction: the stage must be empty each time.
    cursor.execute("TRUNCATE stage_positions")
    if len(fresh) == len(batch):
        return list(batch)
    new = []
    for placed in batch:
        key = (placed.device_id, placed.position.recorded_at)
        if key in fresh:
            fresh.discard(key)
            new.append(placed)
    return new


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
    """Delete every position of a device, the last one included."""
    for table in (positions, last_positions):
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
