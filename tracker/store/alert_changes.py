"""What becomes of alerts: acknowledged, resolved, moved to the event that tells it truly.

Here, beside `alerts`, because it withdraws messages: the outbox builds on the ledger and that on the alerts.
"""

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import func, select, update

from tracker.domain.notification import Alert, AlertState, Mute
from tracker.store import live, outbox
from tracker.store.alerts import alerts, get, value
from tracker.store.events import events
from tracker.store.session import Session, cursor_of

KEPT_FOR = timedelta(days=365)
FORGET_AT_ONCE = 10_000


def acknowledge(session: Session, account_id: str, alert_id: str, contact_id: str, now: datetime) -> Alert:
    """Note that a contact saw the alert: nobody else is told next, and what waits for him is withdrawn.

    What waits for others still goes to them. One that is no longer open stays as it is.

    Raises:
        NotFound: this account has no such alert.
    """
    get(session, account_id, alert_id)
    outbox.cancel(session, [(account_id, alert_id)], now, contact_id)
    row = session.execute(
        update(alerts)
        .where(
            alerts.c.account_id == account_id,
            alerts.c.alert_id == alert_id,
            alerts.c.state == AlertState.OPEN.value,
        )
        .values(
            state=AlertState.ACKNOWLEDGED.value,
            acknowledged_at=now,
            acknowledged_by=contact_id,
            planned_at=func.coalesce(alerts.c.planned_at, now),
            escalate_at=None,
        )
        .returning(alerts)
    ).one_or_none()
    if row is None:
        return get(session, account_id, alert_id)
    _show(session, account_id, [row.event_id])
    return value(row)


def resolve(session: Session, account_id: str, event_ids: Collection[str], now: datetime) -> None:
    """End the open alerts of events that were retracted, or whose episode is over; withdraw what waits."""
    if not event_ids:
        return
    mine = (alerts.c.account_id == account_id, alerts.c.event_id.in_(event_ids))
    open_ones = session.execute(
        select(alerts.c.alert_id, alerts.c.event_id).where(*mine, alerts.c.state == AlertState.OPEN.value)
    ).all()
    if not open_ones:
        return
    outbox.cancel(session, [(account_id, each.alert_id) for each in open_ones], now)
    session.execute(
        update(alerts)
        .where(*mine, alerts.c.state == AlertState.OPEN.value)
        .values(
            state=AlertState.RESOLVED.value,
            planned_at=func.coalesce(alerts.c.planned_at, now),
            escalate_at=None,
        )
    )
    _show(session, account_id, [each.event_id for each in open_ones])


def silence(session: Session, mute: Mute, never: Collection[str], now: datetime) -> None:
    """End the open alerts that a new mute is about, but of event types `never` muted; withdraw what waits."""
    account_id = mute.account_id
    query = (
        select(alerts.c.event_id)
        .join(events, (events.c.account_id == alerts.c.account_id) & (events.c.event_id == alerts.c.event_id))
        .where(
            alerts.c.account_id == account_id,
            alerts.c.state == AlertState.OPEN.value,
            events.c.type.not_in(never),
        )
    )
    for column, given in (
        (events.c.rule_id, mute.rule_id),
        (events.c.subject_id, mute.subject_id),
        (events.c.geofence_id, mute.geofence_id),
    ):
        if given is not None:
            query = query.where(column == given)
    resolve(session, account_id, list(session.execute(query).scalars()), now)


def move(session: Session, account_id: str, old_event_id: str, new_event_id: str) -> None:
    """Let the alert of an event that was superseded be that of the event in its place; nothing is sent again.

    If that one has an alert already, the old one stays where it is.
    """
    taken = (
        select(alerts.c.alert_id)
        .where(alerts.c.account_id == account_id, alerts.c.event_id == new_event_id)
        .exists()
    )
    session.execute(
        update(alerts)
        .where(alerts.c.account_id == account_id, alerts.c.event_id == old_event_id, ~taken)
        .values(event_id=new_event_id)
    )


def _show(session: Session, account_id: str, event_ids: Collection[str]) -> None:
    """Let the account's open pages see that the alerts of these events changed."""
    free = (
        select(events.c.event_id)
        .where(events.c.account_id == account_id, events.c.event_id.in_(event_ids))
        .with_for_update(skip_locked=True)
    )
    session.execute(
        update(events)
        .where(events.c.account_id == account_id, events.c.event_id.in_(free.scalar_subquery()))
        .values(updated_at=func.clock_timestamp())
    )
    live.wake(session, account_id)


def forget_old(session: Session, now: datetime) -> None:
    """Delete alerts that were opened more than a year ago, with what the ledger says of them."""
    cursor_of(session).execute(_FORGET_OLD, (now - KEPT_FOR, FORGET_AT_ONCE))


# Account by account: there an index leads to the oldest.
_FORGET_OLD = """
DELETE FROM alerts WHERE (account_id, alert_id) IN (
  SELECT old.account_id, old.alert_id FROM accounts CROSS JOIN LATERAL (
    SELECT account_id, alert_id FROM alerts
    WHERE alerts.account_id = accounts.account_id AND told_at < %s ORDER BY told_at LIMIT 1000) AS old
  LIMIT %s)
"""
