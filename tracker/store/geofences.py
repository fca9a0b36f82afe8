"""Geofences and the subjects that each is for."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from geoalchemy2 import Geometry
from sqlalchemy import (
    Boolean,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    Row,
    Select,
    Table,
    Text,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, aggregate_order_by

from tracker.domain.errors import NotFound
from tracker.domain.geofence import Circle, Corridor, FenceOrigin, Geofence
from tracker.store import schedules
from tracker.store.geo import geometry_from_wkb, geometry_to_wkb
from tracker.store.schema import Id, metadata, moment
from tracker.store.session import Session

geofences = Table(
    "geofences",
    metadata,
    Column("account_id", Id, primary_key=True, autoincrement=False),
    Column("geofence_id", Id, primary_key=True, autoincrement=False),
    Column("name", Text, nullable=False),
    Column("shape", Text, nullable=False),
    # As it was drawn: of a circle the centre, of a corridor the line.
    Column("geom", Geometry("GEOMETRY", srid=4326, spatial_index=False), nullable=False),
    Column("args", JSONB, nullable=False, server_default=text("'{}'")),
    # The outline in degrees, cut at the antimeridian.
    Column("cover", Geometry("GEOMETRY", srid=4326, spatial_index=False), nullable=False),
    Column("all_subjects", Boolean, nullable=False, server_default=text("false")),
    # When it became one for all; null: when it was made.
    moment("all_since", nullable=True),
    Column("time_zone", Text, nullable=False),
    Column("schedule", JSONB(none_as_null=True)),
    Column("template", Text),
    Column("origin", Text, nullable=False),
    Column("version", Integer, nullable=False, server_default=text("1")),
    moment("created_at"),
    moment("changed_at"),
    moment("expires_at", nullable=True),
    ForeignKeyConstraint(["account_id"], ["accounts.account_id"], ondelete="CASCADE"),
    Index("ix_geofences_cover", "cover", postgresql_using="gist"),
    Index("ix_geofences_expires_at", "expires_at", postgresql_where=text("expires_at IS NOT NULL")),
)

geofence_subjects = Table(
    "geofence_subjects",
    metadata,
    Column("account_id", Id, primary_key=True, autoincrement=False),
    Column("geofence_id", Id, primary_key=True, autoincrement=False),
    Column("subject_id", Id, primary_key=True, autoincrement=False),
    # When it was given to the subject; null: when it was made.
    moment("since", nullable=True),
    ForeignKeyConstraint(
        ["account_id", "geofence_id"], ["geofences.account_id", "geofences.geofence_id"], ondelete="CASCADE"
    ),
    ForeignKeyConstraint(
        ["account_id", "subject_id"], ["subjects.account_id", "subjects.subject_id"], ondelete="CASCADE"
    ),
    Index("ix_geofence_subjects_account_id_subject_id", "account_id", "subject_id"),
)


def value(row: Row[Any]) -> Geofence:
    """Return the fence of a row that carries `wkb` and `subject_ids` beside the columns."""
    return Geofence(
        account_id=row.account_id,
        geofence_id=row.geofence_id,
        name=row.name,
        shape=row.shape,
        geometry=geometry_from_wkb(
            bytes(row.wkb), radius_m=row.args.get("radius_m"), width_m=row.args.get("width_m")
        ),
        subject_ids=tuple(row.subject_ids or ()),
        all_subjects=row.all_subjects,
        time_zone=row.time_zone,
        schedule=schedules.from_json(row.schedule),
        template=row.template,
        origin=FenceOrigin(row.origin),
        version=row.version,
        created_at=row.created_at,
        changed_at=row.changed_at,
        expires_at=row.expires_at,
        all_since=row.all_since,
    )


def args_of(fence: Geofence) -> dict[str, float]:
    """Return what of a fence's geometry is not in its WKB."""
    if isinstance(fence.geometry, Circle):
        return {"radius_m": fence.geometry.radius_m}
    if isinstance(fence.geometry, Corridor):
        return {"width_m": fence.geometry.width_m}
    return {}


def add(session: Session, fence: Geofence, *, cover_wkb: bytes) -> None:
    """Store a new fence; `cover_wkb` is its outline in degrees, cut at the antimeridian."""
    columns = _columns(fence) | {
        "account_id": fence.account_id,
        "geofence_id": fence.geofence_id,
        "origin": fence.origin.value,
        "created_at": fence.created_at,
        "cover": func.ST_GeomFromWKB(cover_wkb, 4326),
        "geom": func.ST_GeomFromWKB(geometry_to_wkb(fence.geometry), 4326),
    }
    session.execute(insert(geofences).values(columns))
    _give(session, fence, fence.subject_ids, None)


def change(session: Session, fence: Geofence, now: datetime, *, cover_wkb: bytes | None) -> None:
    """Store what is new of a fence; `cover_wkb` None: its geometry is the one that is stored.

    Subjects that it was not for before are given it at `now`.
    """
    columns = _columns(fence)
    if cover_wkb is not None:
        columns["cover"] = func.ST_GeomFromWKB(cover_wkb, 4326)
        columns["geom"] = func.ST_GeomFromWKB(geometry_to_wkb(fence.geometry), 4326)
    session.execute(update(geofences).where(*_is(fence.account_id, fence.geofence_id)).values(columns))
    mine = (
        geofence_subjects.c.account_id == fence.account_id,
        geofence_subjects.c.geofence_id == fence.geofence_id,
    )
    session.execute(
        delete(geofence_subjects).where(*mine, geofence_subjects.c.subject_id.not_in(fence.subject_ids))
    )
    stay = set(session.execute(select(geofence_subjects.c.subject_id).where(*mine)).scalars())
    _give(session, fence, set(fence.subject_ids) - stay, now)


def remove(session: Session, account_id: str, geofence_id: str) -> None:
    """Delete a fence with its rules, states and crossings; events that speak of it stay."""
    session.execute(delete(geofences).where(*_is(account_id, geofence_id)))


def get(session: Session, account_id: str, geofence_id: str) -> Geofence:
    """Return one fence of the account.

    Raises:
        NotFound: this account has no such fence.
    """
    row = session.execute(_whole().where(*_is(account_id, geofence_id))).one_or_none()
    if row is None:
        raise NotFound("geofence")
    return value(row)


def hold(session: Session, account_id: str, geofence_id: str) -> Geofence:
    """Return what `get` does and let nobody else change it until the end of the transaction.

    Raises:
        NotFound: this account has no such fence.
    """
    session.execute(
        select(geofences.c.geofence_id).where(*_is(account_id, geofence_id)).with_for_update(key_share=True)
    )
    return get(session, account_id, geofence_id)


def of_account(
    session: Session,
    account_id: str,
    *,
    subject_id: str | None = None,
    after: str | None = None,
    limit: int = 1000,
) -> list[Geofence]:
    """Return up to `limit` fences in id order, behind `after`; those for a subject if given."""
    query = _whole().where(geofences.c.account_id == account_id)
    if subject_id:
        named = exists().where(
            geofence_subjects.c.account_id == geofences.c.account_id,
            geofence_subjects.c.geofence_id == geofences.c.geofence_id,
            geofence_subjects.c.subject_id == subject_id,
        )
        query = query.where(or_(geofences.c.all_subjects, named))
    if after:
        query = query.where(geofences.c.geofence_id > after)
    rows = session.execute(query.order_by(geofences.c.geofence_id).limit(limit))
    return [value(row) for row in rows]


def count(session: Session, account_id: str) -> int:
    """Return how many fences an account has."""
    query = select(func.count()).select_from(geofences).where(geofences.c.account_id == account_id)
    return int(session.execute(query).scalar_one())


def forget_expired(session: Session, now: datetime) -> None:
    """Delete fences whose time is over."""
    session.execute(delete(geofences).where(geofences.c.expires_at <= now))


_SUBJECTS = (
    select(
        func.array_agg(
            aggregate_order_by(geofence_subjects.c.subject_id, geofence_subjects.c.subject_id),
            type_=ARRAY(Id),
        )
    )
    .where(
        geofence_subjects.c.account_id == geofences.c.account_id,
        geofence_subjects.c.geofence_id == geofences.c.geofence_id,
    )
    .correlate(geofences)
    .scalar_subquery()
)


def _whole() -> Select[Any]:
    columns = [each for each in geofences.c if each.name not in {"geom", "cover"}]
    wkb = func.ST_AsBinary(geofences.c.geom, "NDR", type_=LargeBinary)
    return select(*columns, wkb.label("wkb"), _SUBJECTS.label("subject_ids"))


def _columns(fence: Geofence) -> dict[str, Any]:
    return {
        "name": fence.name,
        "shape": fence.shape,
        "args": args_of(fence),
        "all_subjects": fence.all_subjects,
        "all_since": fence.all_since,
        "time_zone": fence.time_zone,
        "schedule": schedules.to_json(fence.schedule),
        "template": fence.template,
        "version": fence.version,
        "changed_at": fence.changed_at,
        "expires_at": fence.expires_at,
    }


def _give(session: Session, fence: Geofence, subject_ids: Collection[str], since: datetime | None) -> None:
    of_fence = {"account_id": fence.account_id, "geofence_id": fence.geofence_id}
    rows = [{**of_fence, "subject_id": each, "since": since} for each in sorted(set(subject_ids))]
    if rows:
        session.execute(insert(geofence_subjects), rows)


def _is(account_id: str, geofence_id: str) -> tuple[Any, Any]:
    return geofences.c.account_id == account_id, geofences.c.geofence_id == geofence_id
