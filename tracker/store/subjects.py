"""Whom and what an account keeps in sight."""

from typing import Any

from sqlalchemy import Column, ForeignKeyConstraint, Row, Table, Text, delete, insert, select, update

from tracker.domain.errors import NotFound
from tracker.domain.subject import Subject, SubjectKind
from tracker.store.schema import Id, metadata, moment
from tracker.store.session import Session

subjects = Table(
    "subjects",
    metadata,
    Column("account_id", Id, primary_key=True, autoincrement=False),
    Column("subject_id", Id, primary_key=True, autoincrement=False),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    moment("created_at"),
    ForeignKeyConstraint(["account_id"], ["accounts.account_id"], ondelete="CASCADE"),
)


def value(row: Row[Any]) -> Subject:
    """Return the subject of a row."""
    return Subject(
        account_id=row.account_id,
        subject_id=row.subject_id,
        kind=SubjectKind(row.kind),
        name=row.name,
        created_at=row.created_at,
    )


def add(session: Session, subject: Subject) -> None:
    """Store a new subject."""
    session.execute(
        insert(subjects).values(
            account_id=subject.account_id,
            subject_id=subject.subject_id,
            kind=subject.kind.value,
            name=subject.name,
            created_at=subject.created_at,
        )
    )


def change(session: Session, account_id: str, subject_id: str, *, kind: SubjectKind, name: str) -> None:
    """Store a new kind and name of a subject."""
    session.execute(
        update(subjects)
        .where(subjects.c.account_id == account_id, subjects.c.subject_id == subject_id)
        .values(kind=kind.value, name=name)
    )


def get(session: Session, account_id: str, subject_id: str) -> Subject:
    """Return one subject of the account.

    Raises:
        NotFound: this account has no such subject.
    """
    row = session.execute(
        select(subjects).where(subjects.c.account_id == account_id, subjects.c.subject_id == subject_id)
    ).one_or_none()
    if row is None:
        raise NotFound("subject")
    return value(row)


def remove(session: Session, account_id: str, subject_id: str) -> None:
    """Delete a subject's row; its devices and positions go first, by their own stores."""
    session.execute(
        delete(subjects).where(subjects.c.account_id == account_id, subjects.c.subject_id == subject_id)
    )
