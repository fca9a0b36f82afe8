"""Stores batches of positions and moves the last ones on.

One statement takes the batch as arrays, tells apart what is new and moves the last positions in place; only
devices for which that does not happen (their first position, late data, a device just removed) cost more.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

import psycopg

from tracker.domain.position import Placed, Position
from tracker.store.geo import to_ewkb
from tracker.store.positions_arrays import COLUMNS, ROWS, PackedArray, packed, register
from tracker.store.schema import id_from_int, id_to_int
from tracker.store.session import Session, cursor_of

LIVE_CHANNEL = "tracker_live"
"""NOTIFY channel: the payload is the account id whose last positions changed."""

Key = tuple[str, datetime]
"""Device id and moment of a position."""

_FIX_NAMES = [name.strip() for name in COLUMNS.split(",")][2:]
# That the last positions move after the insert, and not beside it, keeps two transactions which bring the
# same position from waiting for each other.
_APPEND = """
WITH stage AS MATERIALIZED ({rows}), new AS (
  INSERT INTO positions ({columns}) SELECT {columns} FROM stage
  ON CONFLICT DO NOTHING RETURNING device_id, recorded_at
), counted AS (
  SELECT count(*) AS total FROM new
), moved AS (
  UPDATE last_positions AS last SET {assignments}, updated_at = clock_timestamp()
  FROM stage
  WHERE (SELECT total FROM counted) > 0 AND stage.newest
    AND last.account_id = stage.account_id AND last.device_id = stage.device_id
    AND last.recorded_at < stage.recorded_at
  RETURNING last.device_id
)
SELECT total, CASE WHEN total < %(size)s THEN (SELECT array_agg(device_id) FROM new) END,
       CASE WHEN total < %(size)s THEN (SELECT array_agg(recorded_at) FROM new) END,
       (SELECT count(*) FROM moved),
       CASE WHEN (SELECT count(*) FROM moved) < %(devices)s THEN (SELECT array_agg(device_id) FROM moved) END
FROM counted
"""
_BEGIN_LAST = """
WITH stage AS ({rows})
INSERT INTO last_positions (account_id, device_id, subject_id, {names}, updated_at)
SELECT stage.account_id, stage.device_id, device.subject_id, {staged}, clock_timestamp()
FROM stage JOIN devices AS device USING (account_id, device_id)
WHERE stage.newest AND stage.device_id = ANY(%(wanted)s) AND NOT EXISTS (
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
WITH stage AS ({rows})
DELETE FROM positions USING stage
WHERE stage.device_id = ANY(%(wanted)s) AND positions.account_id = stage.account_id
  AND positions.device_id = stage.device_id AND positions.recorded_at = stage.recorded_at
"""
_LOCK_DEVICES = "SELECT device_id FROM devices WHERE device_id = ANY(%s) ORDER BY device_id FOR KEY SHARE"
_NAMES = {
    "rows": ROWS,
    "columns": COLUMNS,
    "names": ", ".join(_FIX_NAMES),
    "assignments": ", ".join(f"{name} = stage.{name}" for name in _FIX_NAMES),
    "staged": ", ".join(f"stage.{name}" for name in _FIX_NAMES),
    "excluded": ", ".join(f"excluded.{name}" for name in _FIX_NAMES),
}
_STATEMENT = _APPEND.format(**_NAMES)


def append(session: Session, batch: Sequence[Placed], *, held: Collection[Key] = ()) -> list[Placed]:
    """Store a batch and move the last positions on; return only what was new, in the batch's order.

    The same (device, moment) twice is stored once, the first time. Last positions move only to later
    moments, and never to those of `held`. Nothing is stored of a device that was removed meanwhile. The
    partitions must exist (`positions.ensure_partitions`). Touched accounts are notified at commit.
    """
    if not batch:
        return []
    newest = _newest(batch, held)
    rows = packed(batch, set(newest.values()))
    cursor = cursor_of(session)
    register(cursor)
    # A plan kept from when the tables were small would read them whole when they have grown.
    cursor.execute(_STATEMENT, {**rows, "size": len(batch), "devices": len(newest)}, prepare=False)
    ((total, fresh_devices, fresh_moments, moved, moved_devices),) = cursor.fetchall()
    if total == 0:
        return []
    account_of = {placed.device_id: placed.account_id for placed in batch}
    touched = set(account_of.values())
    gone: set[str] = set()
    if moved < len(account_of):
        ids = set(newest) if moved == len(newest) else set(map(id_from_int, moved_devices or ()))
        begun, gone = _begin_last(cursor, account_of.keys() - ids, rows)
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
    cursor: psycopg.Cursor[Any], device_ids: Collection[str], rows: Mapping[str, PackedArray]
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
        cursor.execute(_DROP_ORPHANS.format(**_NAMES), {**rows, "wanted": gone})
    cursor.execute(_BEGIN_LAST.format(**_NAMES), {**rows, "wanted": there})
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
