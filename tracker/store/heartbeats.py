"""When our own processes last worked: an outage of ours is no silence of a device."""

from datetime import datetime

from sqlalchemy import Column, Table, Text, select
from sqlalchemy.dialects.postgresql import insert as upsert

from tracker.store.schema import metadata, moment
from tracker.store.session import Session

heartbeats = Table(
    "heartbeats",
    metadata,
    Column("name", Text, primary_key=True),
    moment("at"),
)


def beat(session: Session, name: str, now: datetime) -> None:
    """Note that the process of this name works at `now`; an earlier moment changes nothing."""
    made = upsert(heartbeats).values(name=name, at=now)
    session.execute(
        made.on_conflict_do_update(
            index_elements=["name"], set_={"at": now}, where=heartbeats.c.at < made.excluded.at
        )
    )


def last(session: Session, name: str) -> datetime | None:
    """Return when the process of this name last worked; None: it never did."""
    found: datetime | None = session.execute(
        select(heartbeats.c.at).where(heartbeats.c.name == name)
    ).scalar_one_or_none()
    return found


def begin(session: Session, name: str, now: datetime) -> None:
    """Note the first beat of a name; of one that is there nothing changes, and nobody is waited for long."""
    session.execute(upsert(heartbeats).values(name=name, at=now).on_conflict_do_nothing())


def last_unless_locked(session: Session, name: str) -> datetime | None:
    """Lock the row of a name and return when it last worked; None if it is not there or somebody writes it.

    It never waits: a beat that another transaction is writing need not be written twice.
    """
    found: datetime | None = session.execute(
        select(heartbeats.c.at).where(heartbeats.c.name == name).with_for_update(skip_locked=True)
    ).scalar_one_or_none()
    return found
