"""Reads stored positions for a file, page by page, whoever asks; the web asks through `store.access`."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import literal, select, tuple_

from tracker.domain.errors import NotFound
from tracker.domain.position import Placed
from tracker.store import devices, positions, subjects
from tracker.store.schema import Id
from tracker.store.session import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """Whose positions to write: one device's, or those of all devices of a subject."""

    account_id: str
    subject_id: str
    device_ids: tuple[str, ...]
    name: str


def device(session: Session, device_id: str) -> Moved:
    """Return a device by its id alone.

    Raises:
        NotFound: there is none.
    """
    table = devices.devices
    row = session.execute(select(table).where(table.c.device_id == device_id)).one_or_none()
    if row is None:
        raise NotFound("there is no such device")
    return Moved(account_id=row.account_id, subject_id=row.subject_id, device_ids=(device_id,), name=row.name)


def subject(session: Session, subject_id: str) -> Moved:
    """Return a subject with its devices by its id alone.

    Raises:
        NotFound: there is none.
    """
    table, own = subjects.subjects, devices.devices
    row = session.execute(select(table).where(table.c.subject_id == subject_id)).one_or_none()
    if row is None:
        raise NotFound("there is no such subject")
    ids = session.execute(
        select(own.c.device_id).where(own.c.account_id == row.account_id, own.c.subject_id == row.subject_id)
    ).scalars()
    return Moved(account_id=row.account_id, subject_id=row.subject_id, device_ids=tuple(ids), name=row.name)


def page(
    session: Session,
    moved: Moved,
    *,
    since: datetime,
    until: datetime,
    after: tuple[datetime, str] | None,
    limit: int,
) -> list[Placed]:
    """Return up to `limit` positions, since <= recorded_at < until, oldest first, behind `after`."""
    table = positions.positions
    query = select(
        table, positions.LON(table.c.geom).label("lon"), positions.LAT(table.c.geom).label("lat")
    ).where(
        table.c.account_id == moved.account_id,
        table.c.device_id.in_(moved.device_ids),
        table.c.recorded_at >= since,
        table.c.recorded_at < until,
    )
    if after:
        query = query.where(
            tuple_(table.c.recorded_at, table.c.device_id) > tuple_(after[0], literal(after[1], Id))
        )
    rows = session.execute(query.order_by(table.c.recorded_at, table.c.device_id).limit(limit))
    return [positions.placed(row, moved.subject_id) for row in rows]
