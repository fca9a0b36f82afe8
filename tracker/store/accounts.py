"""Accounts and the acceptance of terms."""

from datetime import datetime
from typing import Any

from sqlalchemy import Column, ForeignKeyConstraint, Row, Table, Text, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from tracker.domain.account import Account
from tracker.domain.errors import NotFound
from tracker.domain.ids import new_id
from tracker.store.schema import Id, metadata, moment
from tracker.store.session import Session

accounts = Table(
    "accounts",
    metadata,
    Column("account_id", Id, primary_key=True, autoincrement=False),
    Column("phone", Text, nullable=False, unique=True),
    Column("locale", Text, nullable=False),
    Column("region", Text),
    moment("created_at"),
    Column("own_code_hash", Text),
    moment("own_code_set_at", nullable=True),
    Column("terms_version", Text),
    moment("terms_accepted_at", nullable=True),
)

terms_acceptances = Table(
    "terms_acceptances",
    metadata,
    Column("account_id", Id, primary_key=True, autoincrement=False),
    Column("version", Text, primary_key=True),
    moment("accepted_at"),
    ForeignKeyConstraint(["account_id"], ["accounts.account_id"], ondelete="CASCADE"),
)


def _value(row: Row[Any]) -> Account:
    return Account(
        account_id=row.account_id,
        phone=row.phone,
        locale=row.locale,
        region=row.region,
        created_at=row.created_at,
        has_own_code=row.own_code_hash is not None,
        terms_version=row.terms_version,
        terms_accepted_at=row.terms_accepted_at,
    )


def open_account(session: Session, *, phone: str, locale: str, region: str | None, now: datetime) -> Account:
    """Return the account of `phone` (E.164), made now if there was none; safe against a race of two."""
    session.execute(
        upsert(accounts)
        .values(account_id=new_id(), phone=phone, locale=locale, region=region, created_at=now)
        .on_conflict_do_nothing(index_elements=["phone"])
    )
    return _value(session.execute(select(accounts).where(accounts.c.phone == phone)).one())


def by_phone(session: Session, phone: str) -> Account | None:
    """Return the account of `phone`, or None."""
    row = session.execute(select(accounts).where(accounts.c.phone == phone)).one_or_none()
    return _value(row) if row else None


def get(session: Session, account_id: str) -> Account:
    """Return one account.

    Raises:
        NotFound: there is none.
    """
    row = session.execute(select(accounts).where(accounts.c.account_id == account_id)).one_or_none()
    if row is None:
        raise NotFound("account")
    return _value(row)


def own_code_hash(session: Session, phone: str) -> str | None:
    """Return the Argon2id hash of the own code of `phone`, or None if it has none."""
    return session.execute(
        select(accounts.c.own_code_hash).where(accounts.c.phone == phone)
    ).scalar_one_or_none()


def set_own_code_hash(session: Session, account_id: str, code_hash: str, now: datetime) -> None:
    """Store the hash of a new own code in place of the old."""
    session.execute(
        update(accounts)
        .where(accounts.c.account_id == account_id)
        .values(own_code_hash=code_hash, own_code_set_at=now)
    )


def set_locale(session: Session, account_id: str, locale: str) -> None:
    """Store the owner's choice of language, "ru" or "en"."""
    session.execute(update(accounts).where(accounts.c.account_id == account_id).values(locale=locale))


def accept_terms(session: Session, account_id: str, version: str, now: datetime) -> None:
    """Record that the owner accepted a version of the terms; the first acceptance of it stands."""
    added = session.execute(
        upsert(terms_acceptances)
        .values(account_id=account_id, version=version, accepted_at=now)
        .on_conflict_do_nothing()
        .returning(terms_acceptances.c.version)
    ).one_or_none()
    if added:
        session.execute(
            update(accounts)
            .where(accounts.c.account_id == account_id)
            .values(terms_version=version, terms_accepted_at=now)
        )
