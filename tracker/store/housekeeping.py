"""What time makes necessary: coming partitions, and forgetting what no longer matters."""

from datetime import datetime, timedelta

from tracker.store import (
    alert_changes,
    fence_states,
    geofences,
    idempotency,
    mutes,
    outbox,
    positions,
    quarantine,
    rulebook,
    rules,
    sessions,
    signin,
    unclaimed,
)
from tracker.store.session import Session


def prepare(session: Session, now: datetime) -> None:
    """Make the partitions of last, this and next week, so that no position has to wait for one."""
    positions.ensure_partitions(
        session, {positions.week_of(now + timedelta(days=days)) for days in (-7, 0, 7)}
    )


def forget(session: Session, now: datetime) -> None:
    """Delete what is over: sign-in requests, sessions, notifications, answers, quarantine, unknown names.

    So are fences and mutes whose time is up, versions of rules that nothing was judged by, states of fences
    from before every stored position, and alerts with their deliveries after a year.
    """
    signin.forget_old(session, now)
    sessions.forget_expired(session, now)
    outbox.forget_settled(session, now)
    idempotency.forget_old(session, now)
    quarantine.forget_old(session, now)
    unclaimed.forget_old(session, now)
    geofences.forget_expired(session, now)
    rules.forget_unused_versions(session, now)
    rulebook.forget_empty(session, now)
    mutes.forget_ended(session, now)
    fence_states.forget_anchors(session)
    alert_changes.forget_old(session, now)
