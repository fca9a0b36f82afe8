"""Events: what rules saw happen, with the reasons."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import (
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    Row,
    SmallInteger,
    Table,
    Text,
    func,
    literal,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB

from tracker.domain.crossing import Evidence, How
from tracker.domain.errors import NotFound
from tracker.domain.event import Event, Explanation, News
from tracker.domain.rule import Urgency
from tracker.store.crossings import evidence_json, evidence_value
from tracker.store.schema import Id, metadata, moment
from tracker.store.session import Session

events = Table(
    "events",
    metadata,
    Column("account_id", Id, primary_key=True, autoincrement=False),
    # A hash of what it is: exactly once by key.
    Column("event_id", Id, primary_key=True, autoincrement=False),
    # Without foreign keys: an event outlives its rule, fence and device.
    Column("rule_id", Id),
    Column("rule_version", Integer),
    Column("subject_id", Id, nullable=False),
    Column("device_id", Id),
    Column("geofence_id", Id),
    Column("type", Text, nullable=False),
    Column("urgency", SmallInteger, nullable=False),
    moment("at"),
    moment("decided_at"),
    moment("recorded_at"),
    Column("slot", Text, nullable=False),
    Column("data", JSONB, nullable=False),
    Column("explanation", JSONB, nullable=False),
    Column("news", Text, nullable=False),
    Column("superseded_by", Id),
    moment("retracted_at", nullable=True),
    # The database's clock: what open pages resume from.
    moment("updated_at"),
    ForeignKeyConstraint(
        ["account_id", "subject_id"], ["subjects.account_id", "subjects.subject_id"], ondelete="CASCADE"
    ),
    Index("ix_events_account_id_at", "account_id", "at", "event_id"),
    Index("ix_events_account_id_updated_at", "account_id", "updated_at"),
    Index("ix_events_account_id_rule_id_subject_id_at", "account_id", "rule_id", "subject_id", "at"),
)

_FORGOTTEN = Explanation(
    evidence=(),
    rule={},
    fence=None,
    how=None,
    thresholds={},
    earliest=None,
    gap_s=None,
    suppressed=(),
    delays={},
)


def value(row: Row[Any]) -> Event:
    """Return the event of a row."""
    return Event(
        account_id=row.account_id,
        event_id=row.event_id,
        rule_id=row.rule_id,
        rule_version=row.rule_version,
        subject_id=row.subject_id,
        device_id=row.device_id,
        geofence_id=row.geofence_id,
        type=row.type,
        urgency=Urgency(row.urgency),
        at=row.at,
        decided_at=row.decided_at,
        recorded_at=row.recorded_at,
        slot=row.slot,
        data=row.data,
        explanation=explanation_value(row.explanation),
        news=News(row.news),
        superseded_by=row.superseded_by,
        retracted_at=row.retracted_at,
    )


def explanation_json(explanation: Explanation) -> dict[str, Any]:
    """Return an explanation as it is stored; lines of evidence as lists, other reasons as objects."""
    return {
        "evidence": [
            evidence_json(each) if isinstance(each, Evidence) else dict(each) for each in explanation.evidence
        ],
        "rule": dict(explanation.rule),
        "fence": None if explanation.fence is None else dict(explanation.fence),
        "how": None if explanation.how is None else explanation.how.value,
        "thresholds": dict(explanation.thresholds),
        "earliest": None if explanation.earliest is None else explanation.earliest.isoformat(),
        "gap_s": explanation.gap_s,
        "suppressed": [dict(each) for each in explanation.suppressed],
        "delays": dict(explanation.delays),
    }


def explanation_value(stored: Mapping[str, Any]) -> Explanation:
    """Return what `explanation_json` stored; an empty one if the device it spoke of was removed."""
    if not stored:
        return _FORGOTTEN
    how, earliest = stored["how"], stored["earliest"]
    return Explanation(
        evidence=tuple(
            evidence_value(each) if isinstance(each, list) else each for each in stored["evidence"]
        ),
        rule=stored["rule"],
        fence=stored["fence"],
        how=None if how is None else How(how),
        thresholds=stored["thresholds"],
        earliest=None if earliest is None else datetime.fromisoformat(earliest),
        gap_s=stored["gap_s"],
        suppressed=tuple(stored["suppressed"]),
        delays=stored["delays"],
    )


class Noted(NamedTuple):
    """An event, and when it last changed by the database's clock."""

    event: Event
    updated_at: datetime


def get(session: Session, account_id: str, event_id: str) -> Noted:
    """Return one event of the account.

    Raises:
        NotFound: this account has no such event.
    """
    row = session.execute(
        select(events).where(events.c.account_id == account_id, events.c.event_id == event_id)
    ).one_or_none()
    if row is None:
        raise NotFound("event")
    return _noted(row)


def of_ids(session: Session, account_id: str, event_ids: Collection[str]) -> dict[str, Event]:
    """Return those of the events that the account has, by id."""
    query = select(events).where(
        events.c.account_id == account_id, events.c.event_id.in_(sorted(set(event_ids)))
    )
    return {row.event_id: value(row) for row in session.execute(query)}


def of_account(
    session: Session,
    account_id: str,
    *,
    types: Collection[str] = (),
    subject_id: str | None = None,
    rule_id: str | None = None,
    geofence_id: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    superseded: bool = False,
    after: tuple[datetime, str] | None = None,
    limit: int = 100,
) -> list[Noted]:
    """Return up to `limit` events of since <= at < until that fit, newest first, behind (at, id) `after`.

    Those that another one tells truly, or that history no longer has, only with `superseded`.
    """
    query = select(events).where(events.c.account_id == account_id)
    for column, wanted in (("subject_id", subject_id), ("rule_id", rule_id), ("geofence_id", geofence_id)):
        if wanted is not None:
            query = query.where(events.c[column] == wanted)
    if types:
        query = query.where(events.c.type.in_(sorted(types)))
    if since is not None:
        query = query.where(events.c.at >= since)
    if until is not None:
        query = query.where(events.c.at < until)
    if not superseded:
        query = query.where(events.c.superseded_by.is_(None), events.c.retracted_at.is_(None))
    if after:
        query = query.where(tuple_(events.c.at, events.c.event_id) < tuple_(after[0], literal(after[1], Id)))
    rows = session.execute(query.order_by(events.c.at.desc(), events.c.event_id.desc()).limit(limit))
    return [_noted(row) for row in rows]


def updated_after(session: Session, account_id: str, moment_: datetime, *, limit: int = 1000) -> list[Noted]:
    """Return up to `limit` events that changed later than the moment, by the database's clock, in that order.

    Superseded and retracted ones too. Whoever changes an event's alert calls `touch`.
    """
    query = select(events).where(events.c.account_id == account_id, events.c.updated_at > moment_)
    rows = session.execute(query.order_by(events.c.updated_at, events.c.event_id).limit(limit))
    return [_noted(row) for row in rows]


def touch(session: Session, account_id: str, event_ids: Collection[str]) -> None:
    """Have open pages read these events again: their alerts have changed."""
    session.execute(
        update(events)
        .where(events.c.account_id == account_id, events.c.event_id.in_(sorted(set(event_ids))))
        .values(updated_at=func.clock_timestamp())
    )


def forget_device(session: Session, account_id: str, device_id: str) -> None:
    """Forget what a device's events told of places; that they happened, when and of what rule stays known."""
    session.execute(
        update(events)
        .where(events.c.account_id == account_id, events.c.device_id == device_id)
        .values(explanation={}, data={}, updated_at=func.clock_timestamp())
    )


def _noted(row: Row[Any]) -> Noted:
    return Noted(value(row), row.updated_at)
