"""Positions read in bulk, as plain tuples in binary: a day's numbers cost more than its rows otherwise.

Columns of 32 bits come as floats of 64 with the noise of the conversion beyond the seventh digit.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from tracker.store.schema import id_to_int
from tracker.store.session import Session, cursor_of


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
    """What the API tells of a position; the moments in epoch seconds, exact to the microsecond."""

    device_id: str
    recorded_at: float
    lat: float
    lon: float
    accuracy_m: float | None
    altitude_m: float | None
    speed_mps: float | None
    ignition: bool | None
    odometer_m: float | None
    received_at: float
    course_deg: float | None
    battery_pct: float | None
    charging: bool | None
    trigger: str | None
    satellites: int | None
    hdop: float | None


class CountRow(NamedTuple):
    """How many positions a device has in the span numbered `number`, and the first and last of them."""

    device_id: str
    number: int
    position_count: int
    first_at: float
    last_at: float


# The shortest ways to a text and to a float, in the database as on the wire: `extract` makes a numeric.
_TRACK = """lpad(to_hex(device_id), 16, '0'), date_part('epoch', recorded_at), ST_Y(geom), ST_X(geom),
  accuracy_m, altitude_m, speed_mps, ignition, odometer_m"""
_POSITION = f"""{_TRACK}, date_part('epoch', received_at), course_deg, battery_pct, charging, trigger,
  satellites, hdop"""
_MINE = """FROM positions WHERE account_id = %(account)s AND device_id = ANY(%(devices)s)
  AND recorded_at >= %(since)s AND recorded_at < %(until)s"""
# Of one device the key's own order is the answer's: a page ends where it ends, whatever the span.
_MINE_OF_ONE = _MINE.replace("= ANY(%(devices)s)", "= %(device)s")

# Of the key alone: where autovacuum has been, the table itself is not read.
_COUNTS = """SELECT lpad(to_hex(device), 16, '0'), span.number - 1, told.* FROM
  unnest(%(devices)s::bigint[]) AS device,
  unnest(%(starts)s::timestamptz[], %(ends)s::timestamptz[]) WITH ORDINALITY AS span (since, until, number),
  LATERAL (SELECT count(*), date_part('epoch', min(recorded_at)), date_part('epoch', max(recorded_at))
    FROM positions WHERE account_id = %(account)s AND device_id = device
    AND recorded_at >= span.since AND recorded_at < span.until) AS told (position_count, first_at, last_at)
  WHERE position_count > 0 ORDER BY 2, 1"""


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
    rows = cursor_of(session, binary=True).execute(query, given | {"limit": limit}).fetchall()
    return [PositionRow._make(row) for row in rows]


def track(
    session: Session,
    account_id: str,
    device_ids: Sequence[str],
    *,
    since: datetime,
    until: datetime,
    limit: int,
) -> list[TrackRow]:
    """Return up to `limit` positions, the oldest of the span, by moment."""
    query = f"SELECT {_TRACK} {_of(device_ids)} ORDER BY recorded_at LIMIT %(limit)s"
    given = _given(account_id, device_ids, since, until) | {"limit": limit}
    return [TrackRow._make(row) for row in cursor_of(session, binary=True).execute(query, given).fetchall()]


def neighbours(
    session: Session,
    account_id: str,
    device_ids: Sequence[str],
    *,
    first: datetime,
    last: datetime,
    within: timedelta,
    limit: int,
) -> list[TrackRow]:
    """Return up to `limit` positions next before `first` and as many next behind `last`, in no order."""
    before = f"SELECT {_TRACK} {_of(device_ids)} ORDER BY recorded_at DESC LIMIT %(limit)s"
    behind = before.replace("DESC", "ASC").replace("%(since)s", "%(behind)s").replace("%(until)s", "%(end)s")
    given = _given(account_id, device_ids, first - within, first) | {
        "behind": last + timedelta(microseconds=1),
        "end": last + within,
        "limit": limit,
    }
    rows = cursor_of(session, binary=True).execute(f"({before}) UNION ALL ({behind})", given).fetchall()
    return [TrackRow._make(row) for row in rows]


def counts(
    session: Session, account_id: str, device_ids: Sequence[str], spans: Sequence[tuple[datetime, datetime]]
) -> list[CountRow]:
    """Return how many positions each device has in each span (start, end), where it has any, by span."""
    given = {
        "account": id_to_int(account_id),
        "devices": [id_to_int(each) for each in device_ids],
        "starts": [start for start, _ in spans],
        "ends": [end for _, end in spans],
    }
    return [CountRow._make(row) for row in cursor_of(session, binary=True).execute(_COUNTS, given).fetchall()]


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
