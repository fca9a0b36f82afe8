"""The positions and facts of devices by moment, to be folded again."""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from tracker.domain.geo import LatLon
from tracker.domain.position import Fact, Position
from tracker.store.schema import id_from_int, id_to_int
from tracker.store.session import Session, cursor_of


class Span(NamedTuple):
    """A device, and the moment after which its input is wanted."""

    account_id: str
    device_id: str
    since: datetime


class Told(NamedTuple):
    """What one device told after the moment of its span, each by moment.

    `upto` is None if that is everything; else there are more positions after it, and no later fact is here.
    """

    positions: list[Position]
    facts: list[Fact]
    upto: datetime | None


_SPANS = """unnest(%(accounts)s::bigint[], %(devices)s::bigint[], %(since)s::timestamptz[])
  AS span (account_id, device_id, since)"""
_POSITIONS = f"""
SELECT span.device_id, told.* FROM {_SPANS}, LATERAL (
  SELECT recorded_at, ST_Y(geom), ST_X(geom), accuracy_m, speed_mps, course_deg, battery_pct, charging,
    ignition, motion, trigger, odometer_m, network, attrs
  FROM positions WHERE positions.account_id = span.account_id AND positions.device_id = span.device_id
    AND recorded_at > span.since AND recorded_at < %(until)s
  ORDER BY recorded_at LIMIT %(limit)s) AS told
"""  # noqa: S608 - no input
_FACTS = f"""
SELECT span.device_id, told.* FROM {_SPANS}, LATERAL (
  SELECT kind, recorded_at, data FROM facts
  WHERE facts.account_id = span.account_id AND facts.device_id = span.device_id AND recorded_at > span.since
    AND recorded_at < %(until)s
  ORDER BY recorded_at, kind) AS told
"""  # noqa: S608 - no input


_FOR_EVER = datetime.max.replace(tzinfo=UTC)


def told_since(
    session: Session, spans: Sequence[Span], limit: int, *, until: datetime = _FOR_EVER
) -> dict[str, Told]:
    """Return what each device, by id, told after the moment of its span: up to `limit` positions of each.

    Nothing of `until` or later.
    """
    found: dict[str, Told] = {span.device_id: Told([], [], None) for span in spans}
    if not spans:
        return found
    given = {
        "accounts": [id_to_int(span.account_id) for span in spans],
        "devices": [id_to_int(span.device_id) for span in spans],
        "since": [span.since for span in spans],
        "limit": limit,
        "until": until,
    }
    cursor = cursor_of(session, binary=True)
    for device, *row in cursor.execute(_POSITIONS, given).fetchall():
        found[id_from_int(device)].positions.append(_position(row))
    for device_id, told in found.items():
        if len(told.positions) >= limit:
            found[device_id] = told._replace(upto=told.positions[-1].recorded_at)
    for device, *fact in cursor.execute(_FACTS, given).fetchall():
        told = found[id_from_int(device)]
        if told.upto is None or fact[1] <= told.upto:
            told.facts.append(Fact(*fact))
    return found


class Last(NamedTuple):
    """Where a device was last; `at_s` in epoch seconds."""

    account_id: str
    subject_id: str
    device_id: str
    at_s: float
    lat: float
    lon: float
    accuracy_m: float | None


def last_of_accounts(session: Session, account_ids: Collection[str], since: datetime) -> list[Last]:
    """Return the last positions of all devices of these accounts that are of `since` or later."""
    if not account_ids:
        return []
    rows = cursor_of(session, binary=True).execute(
        "SELECT account_id, subject_id, device_id, date_part('epoch', recorded_at), ST_Y(geom), ST_X(geom),"
        " accuracy_m FROM last_positions WHERE account_id = ANY(%s) AND recorded_at >= %s",
        ([id_to_int(each) for each in account_ids], since),
    )
    return [
        Last(id_from_int(account), id_from_int(subject), id_from_int(device), *fix)
        for account, subject, device, *fix in rows.fetchall()
    ]


def _position(row: Sequence[Any]) -> Position:
    recorded_at, lat, lon, accuracy_m, speed_mps, course_deg, battery_pct, *rest = row
    charging, ignition, motion, trigger, odometer_m, network, attrs = rest
    return Position(
        recorded_at=recorded_at,
        at=LatLon(lat=lat, lon=lon),
        accuracy_m=accuracy_m,
        speed_mps=speed_mps,
        course_deg=course_deg,
        battery_pct=battery_pct,
        charging=charging,
        ignition=ignition,
        motion=motion,
        trigger=trigger,
        odometer_m=odometer_m,
        network=network or {},
        attrs=attrs or {},
    )
