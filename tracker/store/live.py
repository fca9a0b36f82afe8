"""Waking the open maps of an account when something that they show, or who may look, has changed."""

from sqlalchemy import func, select

from tracker.store.positions import LIVE_CHANNEL
from tracker.store.session import Session


def wake(session: Session, account_id: str) -> None:
    """Have the account's open maps read everything again once this transaction is committed."""
    session.execute(select(func.pg_notify(LIVE_CHANNEL, account_id)))
