"""Alerts: events that are told."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    Row,
    SmallInteger,
    Table,
    Text,
    and_,
    bindparam,
    func,
    literal,
    or_,
    select,
    text,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import insert as upsert

from tracker.domain.errors import NotFound
from tracker.domain.event import News
from tracker.domain.notification import Alert, AlertState
from tracker.domain.rule import Notify, Urgency
from tracker.store.events import events
from tracker.store.geofences import geofences
from tracker.store.rules import notify_value, rules
from tracker.store.schema import Id, metadata, moment
from tracker.store.session import Session
from tracker.store.subjects import subjects

OUTBOX_CHANNEL = "tracker_outbox"
"""NOTIFY channel: there is something to send; the payload is the channel it goes over, or `ALERTS`."""
ALERTS = "alert"
"""Payload of `OUTBOX_CHANNEL`: there is an alert to be planned."""

alerts = Table(
    "alerts",
    metadata,
    Column("account_id", Id, primary_key=True, autoincrement=False),
    Column("alert_id", Id, primary_key=True, autoincrement=False),
    Column("event_id", Id, nullable=False),
    Column("urgency", SmallInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("step", SmallInteger, nullable=False, server_default=text("0")),
    moment("told_at"),
    moment("planned_at", nullable=True),
    moment("escalate_at", nullable=True),
    moment("claimed_until", nullable=True),
    moment("acknowledged_at", nullable=True),
    Column("acknowledged_by", Id),
    ForeignKeyConstraint(
        ["account_id", "event_id"], ["events.account_id", "events.event_id"], ondelete="CASCADE"
    ),
    # One alert an event, for ever.
    Index("uq_alerts_account_id_event_id", "account_id", "event_id", unique=True),
    Index("ix_alerts_account_id_told_at", "account_id", "told_at", "alert_id"),
    Index("ix_alerts_told_at", "told_at", postgresql_where=text("planned_at IS NULL")),
    Index("ix_alerts_escalate_at", "escalate_at", postgresql_where=text("escalate_at IS NOT NULL")),
)


def value(row: Row[Any]) -> Alert:
    """Return the alert of a row."""
    return Alert(
        account_id=row.account_id,
        alert_id=row.alert_id,
        event_id=row.event_id,
        urgency=Urgency(row.urgency),
        state=AlertState(row.state),
        told_at=row.told_at,
        step=row.step,
        planned_at=row.planned_at,
        escalate_at=row.escalate_at,
        acknowledged_at=row.acknowledged_at,
        acknowledged_by=row.acknowledged_by,
    )


def get(session: Session, account_id: str, alert_id: str) -> Alert:
    """Return one alert of the account.

    Raises:
        NotFound: this account has no such alert.
    """
    row = session.execute(
        select(alerts).where(alerts.c.account_id == account_id, alerts.c.alert_id == alert_id)
    ).one_or_none()
    if row is None:
        raise NotFound("alert")
    return value(row)


def of_account(
    session: Session,
    account_id: str,
    *,
    state: AlertState | None = None,
    after: tuple[datetime, str] | None = None,
    limit: int = 100,
) -> list[Alert]:
    """Return up to `limit` alerts, newest first, behind (told_at, id) `after`; of one state if given."""
    query = select(alerts).where(alerts.c.account_id == account_id)
    if state is not None:
        query = query.where(alerts.c.state == state.value)
    if after:
        query = query.where(
            tuple_(alerts.c.told_at, alerts.c.alert_id) < tuple_(after[0], literal(after[1], Id))
        )
    rows = session.execute(query.order_by(alerts.c.told_at.desc(), alerts.c.alert_id.desc()).limit(limit))
    return [value(row) for row in rows]


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """An alert that something must be done about, with what its words and its telling need.

    `notify` is that of the rule as it is now; of a rule that is gone, or of none, the usual. `earliest` and
    `gap_s` are of the event's explanation.
    """

    alert: Alert
    type: str
    subject_id: str
    rule_id: str | None
    geofence_id: str | None
    at: datetime
    earliest: datetime | None
    gap_s: float | None
    data: Mapping[str, Any]
    subject: str
    place: str | None
    rule: str | None
    notify: Notify


def open_many(session: Session, new: Sequence[Alert]) -> set[str]:
    """Store new alerts; return the ids of the events that had none yet. The commit wakes whoever tells."""
    if not new:
        return set()
    rows = session.execute(
        _OPEN,
        [
            {
                "account_id": each.account_id,
                "alert_id": each.alert_id,
                "event_id": each.event_id,
                "urgency": each.urgency.value,
                "state": each.state.value,
                "told_at": each.told_at,
            }
            for each in new
        ],
    )
    opened = set(rows.scalars())
    if opened:
        session.execute(_NOTIFY)
    return opened


def claim(session: Session, now: datetime, limit: int = 100) -> list[Due]:
    """Lock up to `limit` alerts that are not planned yet, or due again; the most urgent first.

    Others skip them until the end of this transaction. Those that were put off are left until then.
    """
    return [_due(row) for row in session.execute(_CLAIM, {"now": now, "most": limit})]


def note(
    session: Session,
    alert: Alert,
    now: datetime,
    *,
    state: AlertState,
    step: int,
    again_at: datetime | None,
) -> None:
    """Store what was decided about a claimed alert: planned by now, at this step, due again then or never."""
    session.execute(
        _NOTE,
        {
            "of_account": alert.account_id,
            "of_alert": alert.alert_id,
            "state": state.value,
            "step": step,
            "planned_at": alert.planned_at or now,
            "escalate_at": again_at,
        },
    )


def note_muted(session: Session, account_id: str, event_id: str) -> None:
    """Note that an event was not told because its account muted it."""
    # Ingest locks an event before its alert, telling the other way round: whoever holds it now will say.
    free = (
        select(events.c.event_id)
        .where(events.c.account_id == account_id, events.c.event_id == event_id)
        .with_for_update(skip_locked=True)
    )
    session.execute(
        update(events)
        .where(events.c.account_id == account_id, events.c.event_id.in_(free.scalar_subquery()))
        .values(news=News.MUTED.value, updated_at=func.clock_timestamp())
    )


def put_off(session: Session, account_id: str, alert_id: str, until: datetime) -> None:
    """Leave an alert alone until then: deciding about it failed by a fault of ours."""
    session.execute(
        update(alerts)
        .where(alerts.c.account_id == account_id, alerts.c.alert_id == alert_id)
        .values(claimed_until=until)
    )


def next_due(session: Session) -> datetime | None:
    """Return when the first planned alert is due again, or None."""
    due: datetime | None = session.execute(_NEXT_DUE).scalar_one()
    return due


def _due(row: Row[Any]) -> Due:
    return Due(
        alert=value(row),
        type=row.type,
        subject_id=row.subject_id,
        rule_id=row.rule_id,
        geofence_id=row.geofence_id,
        at=row.at,
        earliest=None if row.earliest is None else datetime.fromisoformat(row.earliest),
        gap_s=None if row.gap_s is None else float(row.gap_s),
        data=row.data,
        subject=row.subject,
        place=row.place,
        rule=row.rule,
        notify=notify_value(row.notify or {}),
    )


# Built once: what is asked for with each alert would take longer to build than to answer.
_OPEN = (
    upsert(alerts)
    .on_conflict_do_nothing(index_elements=["account_id", "event_id"])
    .returning(alerts.c.event_id)
)
_NOTIFY = select(func.pg_notify(OUTBOX_CHANNEL, ALERTS))
_FENCE_NAME = events.c.explanation["fence"]["properties"]["name"].astext
_CLAIM = (
    select(
        alerts,
        events.c.type,
        events.c.subject_id,
        events.c.rule_id,
        events.c.geofence_id,
        events.c.at,
        events.c.explanation["earliest"].astext.label("earliest"),
        events.c.explanation["gap_s"].astext.label("gap_s"),
        events.c.data,
        subjects.c.name.label("subject"),
        func.coalesce(geofences.c.name, _FENCE_NAME).label("place"),
        rules.c.name.label("rule"),
        rules.c.notify,
    )
    .join(events, and_(events.c.account_id == alerts.c.account_id, events.c.event_id == alerts.c.event_id))
    .join(
        subjects,
        and_(subjects.c.account_id == events.c.account_id, subjects.c.subject_id == events.c.subject_id),
    )
    .outerjoin(rules, and_(rules.c.account_id == events.c.account_id, rules.c.rule_id == events.c.rule_id))
    .outerjoin(
        geofences,
        and_(
            geofences.c.account_id == events.c.account_id,
            geofences.c.geofence_id == events.c.geofence_id,
        ),
    )
    .where(
        or_(alerts.c.planned_at.is_(None), alerts.c.escalate_at <= bindparam("now")),
        or_(alerts.c.claimed_until.is_(None), alerts.c.claimed_until <= bindparam("now")),
    )
    .order_by(alerts.c.urgency.desc(), alerts.c.told_at, alerts.c.alert_id)
    .limit(bindparam("most", type_=Integer))
    .with_for_update(of=alerts, skip_locked=True)
)
_NOTE = (
    update(alerts)
    .where(alerts.c.account_id == bindparam("of_account"), alerts.c.alert_id == bindparam("of_alert"))
    .values(
        state=bindparam("state"),
        step=bindparam("step"),
        planned_at=bindparam("planned_at"),
        escalate_at=bindparam("escalate_at"),
        claimed_until=None,
    )
)
_NEXT_DUE = select(func.min(func.greatest(alerts.c.escalate_at, alerts.c.claimed_until))).where(
    alerts.c.escalate_at.is_not(None)
)
