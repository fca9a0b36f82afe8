"""What time makes necessary: coming partitions, and forgetting what no longer matters."""

from datetime import datetime, timedelta

from tracker.store import (
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

    So are fences and mutes whose time is up, and versions of rules that nothing was judged by.
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
