"""Requests for a code, wrong entries and the counters of rate limits; each count is one atomic statement."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Column, Index, Integer, LargeBinary, Table, Text, delete, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from tracker.store.schema import Id, metadata, moment
from tracker.store.session import Session

login_requests = Table(
    "login_requests",
    metadata,
    Column("login_id", Id, primary_key=True, autoincrement=False),
    Column("phone_hash", LargeBinary, nullable=False),
    Column("code_hash", Text),
    Column("locale", Text, nullable=False),
    Column("region", Text),
    Column("wrong_entries", Integer, nullable=False, server_default="0"),
    moment("created_at", index=True),
    moment("expires_at"),
    moment("used_at", nullable=True),
    Index("ix_login_requests_phone_hash_created_at", "phone_hash", "created_at"),
)

code_entries = Table(
    "code_entries",
    metadata,
    Column("phone_hash", LargeBinary, primary_key=True),
    Column("wrong_entries", Integer, nullable=False),
    moment("changed_at"),
)

rate_counters = Table(
    "rate_counters",
    metadata,
    Column("bucket", Text, primary_key=True),
    Column("key_hash", LargeBinary, primary_key=True),
    moment("window_start", primary_key=True),
    Column("hits", Integer, nullable=False),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginRequest:
    """One request for a code; `code_hash` is None when no message was sent for it."""

    login_id: str
    code_hash: str | None
    locale: str
    region: str | None
    wrong_entries: int


def add_request(
    session: Session,
    *,
    login_id: str,
    phone_hash: bytes,
    code_hash: str | None,
    locale: str,
    region: str | None,
    now: datetime,
    expires_at: datetime,
) -> None:
    """Record that a code was asked for."""
    session.execute(
        insert(login_requests).values(
            login_id=login_id,
            phone_hash=phone_hash,
            code_hash=code_hash,
            locale=locale,
            region=region,
            created_at=now,
            expires_at=expires_at,
        )
    )


def last_code_is_spent(session: Session, phone_hash: bytes, entries_allowed: int) -> bool:
    """Tell whether the newest code sent to a phone opens nothing any more: used, or blocked."""
    row = session.execute(
        select(login_requests.c.used_at, login_requests.c.wrong_entries)
        .where(login_requests.c.phone_hash == phone_hash, login_requests.c.code_hash.is_not(None))
        .order_by(login_requests.c.created_at.desc())
        .limit(1)
    ).one_or_none()
    return row is not None and (row.used_at is not None or row.wrong_entries >= entries_allowed)


def is_alive(
    session: Session, *, login_id: str, phone_hash: bytes, entries_allowed: int, now: datetime
) -> bool:
    """Tell whether a code was sent for this request and may still open: unused, unexpired, not blocked."""
    return (
        session.execute(
            select(login_requests.c.login_id).where(
                login_requests.c.login_id == login_id,
                login_requests.c.phone_hash == phone_hash,
                login_requests.c.code_hash.is_not(None),
                login_requests.c.used_at.is_(None),
                login_requests.c.expires_at > now,
                login_requests.c.wrong_entries < entries_allowed,
            )
        ).one_or_none()
        is not None
    )


def lock_request(session: Session, *, login_id: str, phone_hash: bytes, now: datetime) -> LoginRequest | None:
    """Return the request of this id and phone if it is unused and unexpired, its row locked to the end."""
    row = session.execute(
        select(login_requests)
        .where(
            login_requests.c.login_id == login_id,
            login_requests.c.phone_hash == phone_hash,
            login_requests.c.used_at.is_(None),
            login_requests.c.expires_at > now,
        )
        .with_for_update()
    ).one_or_none()
    if row is None:
        return None
    return LoginRequest(
        login_id=row.login_id,
        code_hash=row.code_hash,
        locale=row.locale,
        region=row.region,
        wrong_entries=row.wrong_entries,
    )


def count_wrong_request(session: Session, login_id: str) -> int:
    """Count one more wrong entry for a request and return how many there are."""
    count: int = session.execute(
        update(login_requests)
        .where(login_requests.c.login_id == login_id)
        .values(wrong_entries=login_requests.c.wrong_entries + 1)
        .returning(login_requests.c.wrong_entries)
    ).scalar_one()
    return count


def use_request(session: Session, login_id: str, phone_hash: bytes, now: datetime) -> None:
    """Mark a request as used; older unused requests of the same phone die with it."""
    created_at = (
        select(login_requests.c.created_at).where(login_requests.c.login_id == login_id).scalar_subquery()
    )
    session.execute(
        update(login_requests)
        .where(
            login_requests.c.phone_hash == phone_hash,
            login_requests.c.used_at.is_(None),
            login_requests.c.created_at <= created_at,
        )
        .values(used_at=now)
    )


def lock_entries(session: Session, phone_hash: bytes, now: datetime) -> int:
    """Return how many wrong own codes in a row were entered for a phone, the count locked to the end."""
    session.execute(
        upsert(code_entries)
        .values(phone_hash=phone_hash, wrong_entries=0, changed_at=now)
        .on_conflict_do_nothing()
    )
    count: int = session.execute(
        select(code_entries.c.wrong_entries).where(code_entries.c.phone_hash == phone_hash).with_for_update()
    ).scalar_one()
    return count


def set_entries(session: Session, phone_hash: bytes, wrong_entries: int, now: datetime) -> None:
    """Store the count of wrong own codes of a phone; 0 after a right code."""
    session.execute(
        update(code_entries)
        .where(code_entries.c.phone_hash == phone_hash)
        .values(wrong_entries=wrong_entries, changed_at=now)
    )


def hit(
    session: Session, *, bucket: str, key_hash: bytes, window: timedelta, now: datetime
) -> tuple[int, int]:
    """Count one more act of `key_hash` in `bucket`; return (acts in its fixed window, seconds to its end)."""
    seconds = int(window.total_seconds())
    start = int(now.timestamp()) // seconds * seconds
    window_start = datetime.fromtimestamp(start, tz=now.tzinfo)
    hits = session.execute(
        upsert(rate_counters)
        .values(bucket=bucket, key_hash=key_hash, window_start=window_start, hits=1)
        .on_conflict_do_update(
            index_elements=["bucket", "key_hash", "window_start"], set_={"hits": rate_counters.c.hits + 1}
        )
        .returning(rate_counters.c.hits)
    ).scalar_one()
    return hits, start + seconds - int(now.timestamp())


def forget_old(session: Session, now: datetime) -> None:
    """Delete requests and counters that can no longer matter (older than 2 days)."""
    limit = now - timedelta(days=2)
    session.execute(delete(login_requests).where(login_requests.c.created_at < limit))
    session.execute(delete(rate_counters).where(rate_counters.c.window_start < limit))
