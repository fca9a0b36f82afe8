"""Positions read in bulk, as plain tuples: the numbers of a day's page cost more than its rows otherwise."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple, cast

import psycopg

from tracker.store.schema import id_to_int
from tracker.store.session import Session


class TrackRow(NamedTuple):
    """What history takes of a position; `recorded_at` in epoch seconds, None is unknown."""

    device_id: str
    recorded_at: float
    lat: float
    lon: float
    accuracy_m: float | None
    altitude_m: float | None
    speed_mps: float | None
    ignition: bool | None
    odometer_m: float | None


class PositionRow(NamedTuple):
    """What the API tells of a position; the moments also as PostgreSQL writes them in UTC."""

    device_id: str
    recorded_at: float
    lat: float
    lon: float
    accuracy_m: float | None
    altitude_m: float | None
    speed_mps: float | None
    ignition: bool | None
    odometer_m: float | None
    recorded_text: str
    received_text: str
    course_deg: float | None
    battery_pct: float | None
    charging: bool | None
    trigger: str | None
    satellites: int | None
    hdop: float | None


_TRACK = """device_id, extract(epoch FROM recorded_at)::float8, ST_Y(geom), ST_X(geom), accuracy_m,
  altitude_m, speed_mps, ignition, odometer_m"""
_POSITION = f"""{_TRACK}, recorded_at::text, received_at::text, course_deg, battery_pct, charging, trigger,
  satellites, hdop"""
_MINE = """FROM positions WHERE account_id = %(account)s AND device_id = ANY(%(devices)s)
  AND recorded_at >= %(since)s AND recorded_at < %(until)s"""
# Of one device the key's own order is the answer's: a page ends where it ends, whatever the span.
_MINE_OF_ONE = _MINE.replace("= ANY(%(devices)s)", "= %(device)s")


def page(
    session: Session,
    account_id: str,
    device_ids: Sequence[str],
    *,
    since: datetime,
    until: datetime,
    after: tuple[datetime, str] | None,
    limit: int,
) -> list[PositionRow]:
    """Return up to `limit` positions of the devices by (moment, device), those behind `after` if given."""
    given = _given(account_id, device_ids, since, until)
    behind = ""
    if after:
        behind = "AND recorded_at >= %(moment)s AND (recorded_at, device_id) > (%(moment)s, %(behind)s)"
        given |= {"moment": after[0], "behind": id_to_int(after[1])}
    query = f"SELECT {_POSITION} {_of(device_ids)} {behind} ORDER BY recorded_at, device_id LIMIT %(limit)s"
    rows = _cursor(session).execute(query, given | {"limit": limit}).fetchall()
    names = {id_to_int(each): each for each in device_ids}
    return [PositionRow._make((names[row[0]], *row[1:])) for row in rows]


def track(
    session: Session,
    account_id: str,
    device_ids: Sequence[str],
    *,
    since: datetime,
    until: datetime,
    limit: int,
    newest: bool = False,
) -> list[TrackRow]:
    """Return up to `limit` positions, the oldest of the span or the newest, in no order to rely on."""
    given = _given(account_id, device_ids, since, until)
    order = "DESC" if newest else "ASC"
    query = f"SELECT {_TRACK} {_of(device_ids)} ORDER BY recorded_at {order} LIMIT %(limit)s"
    rows = _cursor(session).execute(query, given | {"limit": limit}).fetchall()
    names = {id_to_int(each): each for each in device_ids}
    return [TrackRow._make((names[row[0]], *row[1:])) for row in rows]


def _of(device_ids: Sequence[str]) -> str:
    return _MINE_OF_ONE if len(device_ids) == 1 else _MINE


def _given(account_id: str, device_ids: Sequence[str], since: datetime, until: datetime) -> dict[str, Any]:
    numbers = [id_to_int(each) for each in device_ids]
    return {
        "account": id_to_int(account_id),
        "devices": numbers,
        "device": numbers[0] if numbers else None,
        "since": since,
        "until": until,
    }


def _cursor(session: Session) -> psycopg.Cursor[Any]:
    # `Database` builds no engine but psycopg's.
    connection = cast("psycopg.Connection[Any]", session.connection().connection.dbapi_connection)
    return connection.cursor()
