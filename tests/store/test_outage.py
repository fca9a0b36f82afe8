"""A database that goes away."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError

from tests.store.family import add_house
from tracker.domain.errors import Unavailable
from tracker.store.session import Database, is_outage

KILL = text("SELECT pg_terminate_backend(pg_backend_pid())")


def test_a_server_that_is_not_there_is_unavailable() -> None:
    store = Database("postgresql://tracker@/nowhere?host=/nonexistent")
    with pytest.raises(Unavailable):
        store.ping()
    with pytest.raises(Unavailable):
        store.listen("x")


def test_a_connection_that_breaks_is_unavailable_and_the_next_one_works(database: Database) -> None:
    with pytest.raises(Unavailable), database.begin() as session:
        session.execute(KILL)
    database.ping()


def test_a_listener_that_lost_its_connection_says_so(database: Database) -> None:
    listener = database.listen("x")
    others = text(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    with database.begin() as session:
        session.execute(others)
    with pytest.raises(Unavailable):
        listener.wait(10)
    listener.close()


def test_a_waited_for_lock_is_an_outage_and_wrong_data_is_none(database: Database) -> None:
    with database.begin() as session:
        add_house(session, "+79161234567")
    with database.begin() as holder:
        holder.execute(text("LOCK TABLE accounts"))
        with pytest.raises(Unavailable), database.begin() as session:
            session.execute(text("SET LOCAL lock_timeout = '100ms'; SELECT * FROM accounts"))
    with pytest.raises(IntegrityError) as wrong, database.begin() as session:
        session.execute(text("INSERT INTO accounts SELECT * FROM accounts"))
    assert not is_outage(wrong.value)
    with pytest.raises(DBAPIError) as syntax, database.begin() as session:
        session.execute(text("SELEC"))
    assert not is_outage(syntax.value)
