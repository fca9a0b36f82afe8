"""Live ways into an account: browser sessions, bearer sessions and named tokens."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    Column,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    Row,
    Table,
    Text,
    delete,
    insert,
    select,
    update,
)

from tracker.domain.account import SessionKind, SessionLevel, SignedSession
from tracker.domain.errors import NotFound
from tracker.store import live
from tracker.store.schema import Id, metadata, moment
from tracker.store.session import Session

sessions = Table(
    "sessions",
    metadata,
    Column("account_id", Id, primary_key=True, autoincrement=False),
    Column("session_id", Id, primary_key=True, autoincrement=False),
    Column("token_hash", LargeBinary, nullable=False),
    Column("kind", Text, nullable=False),
    Column("level", Text, nullable=False),
    Column("name", Text, nullable=False),
    moment("created_at"),
    moment("last_seen_at"),
    moment("expires_at"),
    moment("proved_at"),
    ForeignKeyConstraint(["account_id"], ["accounts.account_id"], ondelete="CASCADE"),
    Index("ix_sessions_token_hash", "token_hash", unique=True),
)


def _value(row: Row[Any]) -> SignedSession:
    return SignedSession(
        account_id=row.account_id,
        session_id=row.session_id,
        kind=SessionKind(row.kind),
        level=SessionLevel(row.level),
        name=row.name,
        created_at=row.created_at,
        last_seen_at=row.last_seen_at,
        expires_at=row.expires_at,
        proved_at=row.proved_at,
    )


def add(session: Session, signed: SignedSession, token_hash: bytes) -> None:
    """Store a new session with the hash of its token."""
    session.execute(
        insert(sessions).values(
            account_id=signed.account_id,
            session_id=signed.session_id,
            token_hash=token_hash,
            kind=signed.kind.value,
            level=signed.level.value,
            name=signed.name,
            created_at=signed.created_at,
            last_seen_at=signed.last_seen_at,
            expires_at=signed.expires_at,
            proved_at=signed.proved_at,
        )
    )


def by_token_hash(session: Session, token_hash: bytes, now: datetime) -> SignedSession | None:
    """Return the unexpired session of a token, or None; notes it as seen, at most once a minute."""
    row = session.execute(
        select(sessions).where(sessions.c.token_hash == token_hash, sessions.c.expires_at > now)
    ).one_or_none()
    if row is None:
        return None
    if (now - row.last_seen_at).total_seconds() > 60:
        session.execute(
            update(sessions)
            .where(sessions.c.account_id == row.account_id, sessions.c.session_id == row.session_id)
            .values(last_seen_at=now)
        )
    return _value(row)


def of_account(
    session: Session, account_id: str, kinds: tuple[SessionKind, ...], now: datetime
) -> list[SignedSession]:
    """Return the unexpired sessions of the given kinds, newest first."""
    rows = session.execute(
        select(sessions)
        .where(
            sessions.c.account_id == account_id,
            sessions.c.kind.in_([kind.value for kind in kinds]),
            sessions.c.expires_at > now,
        )
        .order_by(sessions.c.created_at.desc(), sessions.c.session_id)
    )
    return [_value(row) for row in rows]


def prove(session: Session, account_id: str, session_id: str, token_hash: bytes, now: datetime) -> None:
    """Note that the owner gave a code again in this session, and give it a new token."""
    session.execute(
        update(sessions)
        .where(sessions.c.account_id == account_id, sessions.c.session_id == session_id)
        .values(proved_at=now, token_hash=token_hash)
    )


def touch_proof(session: Session, account_id: str, session_id: str, now: datetime) -> None:
    """Note that the owner gave a code again in this session, whose token stays."""
    session.execute(
        update(sessions)
        .where(sessions.c.account_id == account_id, sessions.c.session_id == session_id)
        .values(proved_at=now)
    )


def remove(session: Session, account_id: str, session_id: str) -> None:
    """End one session; its open maps end at the commit.

    Raises:
        NotFound: this account has no such session.
    """
    ended = session.execute(
        delete(sessions)
        .where(sessions.c.account_id == account_id, sessions.c.session_id == session_id)
        .returning(sessions.c.session_id)
    ).one_or_none()
    if ended is None:
        raise NotFound("session")
    live.wake(session, account_id)


def remove_others(session: Session, account_id: str, keep_session_id: str) -> None:
    """End every browser and bearer session of the account but one; named tokens stay."""
    session.execute(
        delete(sessions).where(
            sessions.c.account_id == account_id,
            sessions.c.session_id != keep_session_id,
            sessions.c.kind != SessionKind.TOKEN.value,
        )
    )
    live.wake(session, account_id)


def forget_expired(session: Session, now: datetime) -> None:
    """Delete sessions past their end."""
    session.execute(delete(sessions).where(sessions.c.expires_at <= now))
