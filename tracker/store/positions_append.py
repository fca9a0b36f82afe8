"""Stores batches of positions and moves the last ones on.

A batch is copied into a temporary table and inserted from there, which tells apart what is new. The last
positions are moved in place; only devices for which that does not happen (their first position, late data, a
device just removed) cost more. Measured on 1,000 rows, that takes half of what inserting on conflict does.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, cast

import psycopg

from tracker.domain.position import Placed, Position
from tracker.store.geo import to_ewkb
from tracker.store.positions_copy import COLUMNS, STAGE_COLUMNS, packed
from tracker.store.schema import id_from_int, id_to_int
from tracker.store.session import Session, cursor_of

LIVE_CHANNEL = "tracker_live"
"""NOTIFY channel: the payload is the account id whose last positions changed."""

Key = tuple[str, datetime]
"""Device id and moment of a position."""

_NARROW_ROW_BYTES = 1200
"""JSON grows up to six times in PostgreSQL's own form (`[1,1,1]`), and 8,160 bytes must hold a row."""
_STAGE = """
DO $$ BEGIN
  IF to_regclass('pg_temp.{name}') IS NULL THEN
    CREATE TEMP TABLE {name} (
      newest boolean NOT NULL, account_id bigint NOT NULL, device_id bigint NOT NULL,
      recorded_at timestamptz NOT NULL, received_at timestamptz NOT NULL, odometer_m float8, accuracy_m real,
      altitude_m real, speed_mps real, course_deg real, battery_pct real, hdop real, satellites smallint,
      charging boolean, ignition boolean, motion boolean
    ) ON COMMIT DELETE ROWS;
    ALTER TABLE {name}
      ADD COLUMN geom geometry(Point, 4326) NOT NULL, ALTER COLUMN geom SET STORAGE {storage},
      ADD COLUMN trigger text, ALTER COLUMN trigger SET STORAGE {storage},
      ADD COLUMN network jsonb, ALTER COLUMN network SET STORAGE {storage},
      ADD COLUMN attrs jsonb, ALTER COLUMN attrs SET STORAGE {storage};
  ELSIF EXISTS (SELECT FROM {name}) THEN
    DELETE FROM {name};
  END IF;
END $$
"""
# Emptying a table at commit takes several times as long when it has a TOAST table, and one gets a TOAST table
# unless all that may be long is stored plain from the start.
_NARROW = ("stage_positions", _STAGE.format(name="stage_positions", storage="PLAIN"))
_WIDE = ("stage_wide_positions", _STAGE.format(name="stage_wide_positions", storage="EXTENDED"))

_FIX_NAMES = [name.strip() for name in COLUMNS.split(",")][2:]
_INSERT = """
WITH new AS (
  INSERT INTO positions ({columns}) SELECT {columns} FROM {stage}
  ON CONFLICT DO NOTHING RETURNING device_id, recorded_at
)
SELECT total, CASE WHEN total < %(size)s THEN (SELECT array_agg(device_id) FROM new) END,
       CASE WHEN total < %(size)s THEN (SELECT array_agg(recorded_at) FROM new) END
FROM (SELECT count(*) AS total FROM new) AS counted
"""
_MOVE = """
WITH moved AS (
  UPDATE last_positions AS last SET {assignments}, updated_at = clock_timestamp()
  FROM {stage} AS stage
  WHERE stage.newest AND last.account_id = stage.account_id AND last.device_id = stage.device_id
    AND last.recorded_at < stage.recorded_at
  RETURNING last.device_id
)
SELECT count(*), CASE WHEN count(*) < %(size)s THEN array_agg(device_id) END FROM moved
"""
_BEGIN_LAST = """
INSERT INTO last_positions (account_id, device_id, subject_id, {names}, updated_at)
SELECT stage.account_id, stage.device_id, device.subject_id, {staged}, clock_timestamp()
FROM {stage} AS stage JOIN devices AS device USING (account_id, device_id)
WHERE stage.newest AND stage.device_id = ANY(%(devices)s) AND NOT EXISTS (
  SELECT FROM last_positions AS last
  WHERE last.account_id = stage.account_id AND last.device_id = stage.device_id
    AND last.recorded_at >= stage.recorded_at
)
ORDER BY stage.device_id
ON CONFLICT (account_id, device_id) DO UPDATE SET
  ({names}, updated_at) = ({excluded}, excluded.updated_at)
WHERE excluded.recorded_at > last_positions.recorded_at
RETURNING device_id
"""
_DROP_ORPHANS = """
DELETE FROM positions USING {stage} AS stage
WHERE stage.device_id = ANY(%(devices)s) AND positions.account_id = stage.account_id
  AND positions.device_id = stage.device_id AND positions.recorded_at = stage.recorded_at
"""
_LOCK_DEVICES = "SELECT device_id FROM devices WHERE device_id = ANY(%s) ORDER BY device_id FOR KEY SHARE"
_NAMES = {
    "columns": COLUMNS,
    "names": ", ".join(_FIX_NAMES),
    "assignments": ", ".join(f"{name} = stage.{name}" for name in _FIX_NAMES),
    "staged": ", ".join(f"stage.{name}" for name in _FIX_NAMES),
    "excluded": ", ".join(f"excluded.{name}" for name in _FIX_NAMES),
}


def append(session: Session, batch: Sequence[Placed], *, held: Collection[Key] = ()) -> list[Placed]:
    """Store a batch and move the last positions on; return only what was new, in the batch's order.

    The same (device, moment) twice is stored once, the first time. Last positions move only to later
    moments, and never to those of `held`. Nothing is stored of a device that was removed meanwhile. The
    partitions must exist (`positions.ensure_partitions`). Touched accounts are notified at commit.
    """
    if not batch:
        return []
    newest = _newest(batch, held)
    stream, longest_bytes = packed(batch, set(newest.values()))
    stage, make_stage = _NARROW if longest_bytes <= _NARROW_ROW_BYTES else _WIDE
    names = _NAMES | {"stage": stage}
    cursor = cursor_of(session)
    cursor.execute(make_stage)
    with cursor.copy(f"COPY {stage} ({STAGE_COLUMNS}) FROM STDIN (FORMAT BINARY)") as copy:
        copy.write(stream)
    total, fresh_devices, fresh_moments = _row(cursor, _INSERT.format(**names), {"size": len(batch)})
    if total == 0:
        return []
    moved, moved_devices = _row(cursor, _MOVE.format(**names), {"size": len(newest)})
    account_of = {placed.device_id: placed.account_id for placed in batch}
    touched = set(account_of.values())
    gone: set[str] = set()
    if moved < len(account_of):
        ids = set(newest) if moved == len(newest) else set(map(id_from_int, moved_devices or ()))
        begun, gone = _begin_last(cursor, account_of.keys() - ids, names)
        touched = {account_of[device] for device in ids | begun}
    _notify(cursor, touched)
    if total == len(batch) and not gone:
        return list(batch)
    if total == len(batch):
        return [placed for placed in batch if placed.device_id not in gone]
    return _fresh(batch, set(zip(map(id_from_int, fresh_devices), fresh_moments, strict=True)), gone)


def set_held(session: Session, waiting: Mapping[tuple[str, str], Position | None]) -> None:
    """Note which position of a device, by (account id, device id), waits to be confirmed; None: none does.

    A device without a last position has nothing that one could contradict and is passed over.
    """
    if not waiting:
        return
    rows = [
        (
            id_to_int(account_id),
            id_to_int(device_id),
            position.recorded_at if position else None,
            to_ewkb(position.at).hex() if position else None,
        )
        for (account_id, device_id), position in sorted(waiting.items())
    ]
    cursor_of(session).execute(
        "UPDATE last_positions AS last SET held_at = one.held_at, held_geom = one.held_geom::geometry"
        " FROM unnest(%s::bigint[], %s::bigint[], %s::timestamptz[], %s::text[])"
        " AS one (account_id, device_id, held_at, held_geom)"
        " WHERE last.account_id = one.account_id AND last.device_id = one.device_id",
        tuple(map(list, zip(*rows, strict=True))),
    )


def _newest(batch: Sequence[Placed], held: Collection[Key]) -> dict[str, int]:
    """Return, by device, the place in the batch of what may become its last position; the first of equals."""
    newest: dict[str, int] = {}
    for at, placed in enumerate(batch):
        device_id = placed.device_id
        if held and (device_id, placed.position.recorded_at) in held:
            continue
        before = newest.setdefault(device_id, at)
        if before != at and batch[before].position.recorded_at < placed.position.recorded_at:
            newest[device_id] = at
    return newest


def _begin_last(
    cursor: psycopg.Cursor[Any], device_ids: Collection[str], names: Mapping[str, str]
) -> tuple[set[str], set[str]]:
    """Give the devices whose last position could not just be moved one, where it is due.

    Return those that got one, and those that were removed meanwhile, of which nothing stays. The others' rows
    are locked until the end of the transaction: a removal waits, and then finds what was stored.
    """
    wanted = sorted(map(id_to_int, device_ids))
    cursor.execute(_LOCK_DEVICES, (wanted,))
    there = [device for (device,) in cursor.fetchall()]
    gone = sorted(set(wanted) - set(there))
    if gone:
        cursor.execute(_DROP_ORPHANS.format(**names), {"devices": gone})
    cursor.execute(_BEGIN_LAST.format(**names), {"devices": there})
    begun = {id_from_int(device) for (device,) in cursor.fetchall()}
    return begun, set(map(id_from_int, gone))


def _fresh(batch: Sequence[Placed], fresh: set[Key], gone: Collection[str]) -> list[Placed]:
    new = []
    for placed in batch:
        key = (placed.device_id, placed.position.recorded_at)
        if key in fresh and placed.device_id not in gone:
            fresh.discard(key)
            new.append(placed)
    return new


def _notify(cursor: psycopg.Cursor[Any], account_ids: Collection[str]) -> None:
    if account_ids:
        cursor.execute(
            "SELECT pg_notify(%s, id) FROM unnest(%s::text[]) AS id", (LIVE_CHANNEL, sorted(account_ids))
        )


def _row(cursor: psycopg.Cursor[Any], statement: str, parameters: Mapping[str, Any]) -> tuple[Any, ...]:
    # A plan kept from when the tables were small would read them whole when they have grown.
    return cast("tuple[Any, ...]", cursor.execute(statement, parameters, prepare=False).fetchone())
