"""Sources: brokers of others that ingest itself connects to for an account."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    Row,
    Table,
    Text,
    delete,
    func,
    insert,
    or_,
    select,
    text,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY

from tracker.domain.errors import NotFound
from tracker.domain.source import Source, SourceDetail, SourceLogin, SourceState
from tracker.store.schema import Id, metadata, moment
from tracker.store.seal import Sealer
from tracker.store.session import Session

LEASE = timedelta(seconds=15)
SOURCES_CHANNEL = "tracker_sources"
"""NOTIFY channel: a source was added, changed or removed."""

sources = Table(
    "sources",
    metadata,
    Column("account_id", Id, primary_key=True, autoincrement=False),
    Column("source_id", Id, primary_key=True, autoincrement=False),
    Column("name", Text, nullable=False),
    Column("dialect", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("topics", ARRAY(Text), nullable=False),
    Column("credentials_sealed", LargeBinary),
    Column("paused", Boolean, nullable=False, server_default=text("false")),
    Column("state", Text, nullable=False),
    Column("detail", Text, nullable=False, server_default=text("''")),
    moment("state_at"),
    Column("messages", BigInteger, nullable=False, server_default=text("0")),
    moment("last_message_at", nullable=True),
    Column("holder", Text),
    moment("held_until", nullable=True),
    moment("created_at"),
    ForeignKeyConstraint(["account_id"], ["accounts.account_id"], ondelete="CASCADE"),
    Index("ix_sources_source_id", "source_id", unique=True),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """A source that an ingest process serves, with its sealed sign-in."""

    source: Source
    credentials_sealed: bytes | None


def seal_login(sealer: Sealer, source_id: str, login: SourceLogin) -> bytes:
    """Return a source's sign-in as it is stored."""
    plain = json.dumps({"username": login.username, "password": login.password}).encode()
    return sealer.seal(plain, context=f"sources/{source_id}")


def open_login(sealer: Sealer, served: Served) -> SourceLogin:
    """Return a source's sign-in; one without credentials signs in as nobody.

    Raises:
        Misconfigured: the secret key is another one than it was sealed with.
    """
    if served.credentials_sealed is None:
        return SourceLogin(username="", password="")
    context = f"sources/{served.source.source_id}"
    stored = json.loads(sealer.open(served.credentials_sealed, context=context))
    return SourceLogin(username=stored["username"], password=stored["password"])


def value(row: Row[Any]) -> Source:
    """Return the source of a row."""
    return Source(
        account_id=row.account_id,
        source_id=row.source_id,
        name=row.name,
        dialect=row.dialect,
        url=row.url,
        topics=tuple(row.topics),
        has_credentials=row.credentials_sealed is not None,
        paused=row.paused,
        state=SourceState(row.state),
        detail=SourceDetail(row.detail),
        state_at=row.state_at,
        messages=row.messages,
        last_message_at=row.last_message_at,
        created_at=row.created_at,
    )


def add(session: Session, source: Source, *, credentials_sealed: bytes | None) -> None:
    """Store a new source and tell the ingest processes."""
    session.execute(
        insert(sources).values(
            account_id=source.account_id,
            source_id=source.source_id,
            name=source.name,
            dialect=source.dialect,
            url=source.url,
            topics=list(source.topics),
            credentials_sealed=credentials_sealed,
            paused=source.paused,
            state=source.state.value,
            detail=source.detail.value,
            state_at=source.state_at,
            created_at=source.created_at,
        )
    )
    _tell(session)


def change(session: Session, source: Source, *, credentials_sealed: bytes | None) -> None:
    """Store what the owner may change of a source, its sign-in too, and tell the ingest processes."""
    session.execute(
        update(sources)
        .where(*_is(source.account_id, source.source_id))
        .values(
            name=source.name,
            url=source.url,
            topics=list(source.topics),
            credentials_sealed=credentials_sealed,
            paused=source.paused,
            state=source.state.value,
            detail=source.detail.value,
            state_at=source.state_at,
        )
    )
    _tell(session)


def get(session: Session, account_id: str, source_id: str) -> Served:
    """Return one source of the account with its sealed sign-in.

    Raises:
        NotFound: this account has no such source.
    """
    row = session.execute(select(sources).where(*_is(account_id, source_id))).one_or_none()
    if row is None:
        raise NotFound("source")
    return Served(source=value(row), credentials_sealed=row.credentials_sealed)


def remove(session: Session, account_id: str, source_id: str) -> None:
    """Delete a source's row and tell the ingest processes."""
    session.execute(delete(sources).where(*_is(account_id, source_id)))
    _tell(session)


def lease(session: Session, holder: str, *, most: int, now: datetime) -> list[Served]:
    """Hold for 15 s more what `holder` serves, take what nobody serves, and return all, at most `most`.

    Paused sources are nobody's. Two processes that ask at once never get the same one.
    """
    mine = session.execute(
        select(sources.c.account_id, sources.c.source_id)
        .where(sources.c.holder == holder, sources.c.paused.is_(False))
        .order_by(sources.c.source_id)
        .limit(most)
        .with_for_update()
    ).all()
    taken = session.execute(
        select(sources.c.account_id, sources.c.source_id)
        .where(
            sources.c.paused.is_(False),
            or_(sources.c.holder.is_(None), sources.c.held_until < now),
            or_(sources.c.holder.is_(None), sources.c.holder != holder),
        )
        .order_by(sources.c.held_until.nulls_first(), sources.c.source_id)
        .limit(max(0, most - len(mine)))
        .with_for_update(skip_locked=True)
    ).all()
    keys = [(row.account_id, row.source_id) for row in (*mine, *taken)]
    if not keys:
        return []
    rows = session.execute(
        update(sources)
        .where(tuple_(sources.c.account_id, sources.c.source_id).in_(keys))
        .values(holder=holder, held_until=now + LEASE)
        .returning(sources)
    )
    found = [Served(source=value(row), credentials_sealed=row.credentials_sealed) for row in rows]
    return sorted(found, key=lambda each: each.source.source_id)


def unwanted(session: Session, source_ids: Iterable[str]) -> set[str]:
    """Return those of the sources that their owner has paused or removed."""
    asked = set(source_ids)
    if not asked:
        return set()
    wanted = select(sources.c.source_id).where(
        sources.c.source_id.in_(sorted(asked)), sources.c.paused.is_(False)
    )
    return asked - set(session.execute(wanted).scalars())


def release(session: Session, holder: str, source_ids: Sequence[str]) -> None:
    """Give sources back, so that another process may take them at once."""
    session.execute(
        update(sources)
        .where(sources.c.holder == holder, sources.c.source_id.in_(source_ids))
        .values(holder=None, held_until=None)
    )


def note_state(
    session: Session,
    holder: str,
    source_id: str,
    state: SourceState,
    detail: SourceDetail,
    now: datetime,
) -> None:
    """Store how it stands with a source that `holder` still holds."""
    session.execute(
        update(sources)
        .where(sources.c.source_id == source_id, sources.c.holder == holder)
        .values(state=state.value, detail=detail.value, state_at=now)
    )


def count(session: Session, source_id: str, messages: int, last_at: datetime) -> None:
    """Add to what was taken from a source."""
    session.execute(
        update(sources)
        .where(sources.c.source_id == source_id)
        .values(
            messages=sources.c.messages + messages,
            last_message_at=func.greatest(sources.c.last_message_at, last_at),
        )
    )


def _is(account_id: str, source_id: str) -> tuple[Any, Any]:
    return sources.c.account_id == account_id, sources.c.source_id == source_id


def _tell(session: Session) -> None:
    session.execute(select(func.pg_notify(SOURCES_CHANNEL, "")))
