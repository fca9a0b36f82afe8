"""Connections and transactions: whoever opens one ends it, and nobody else commits."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import psycopg
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from tracker.domain.errors import Unavailable

__all__ = ["Database", "Session", "cursor_of"]


class Database:
    """The PostgreSQL that `url` (`postgresql://...`) names, with a pool of at most `pool_size` connections.

    Every connection has a statement timeout of 30 s and a lock timeout of 10 s unless `timeouts` is False.
    """

    def __init__(self, url: str, *, pool_size: int = 5, timeouts: bool = True) -> None:
        self.url = url
        options = "-c timezone=UTC"
        if timeouts:
            options += " -c statement_timeout=30s -c lock_timeout=10s"
        self.engine: Engine = create_engine(
            make_url(url).set(drivername="postgresql+psycopg"),
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=10,
            pool_pre_ping=True,
            hide_parameters=True,  # an error's text would carry coordinates and numbers into logs
            connect_args={"options": options, "connect_timeout": 5},
        )

    @contextmanager
    def begin(self) -> Iterator[Session]:
        """Open a transaction: committed at the end of the block, rolled back if it raises.

        Raises:
            Unavailable: the database cannot be reached, or went away.
        """
        try:
            with Session(self.engine, expire_on_commit=False) as session, session.begin():
                yield session
        except (DBAPIError, PoolTimeout, psycopg.Error) as error:
            if is_outage(error):
                raise Unavailable("the database does not answer") from error
            raise

    def listen(self, *channels: str) -> "Listener":
        """Return a connection of its own that hears `NOTIFY` on `channels`.

        Raises:
            Unavailable: the database cannot be reached.
        """
        return Listener(self.url, channels)

    def ping(self) -> None:
        """Ask the database to answer.

        Raises:
            Unavailable: it does not.
        """
        with self.begin() as session:
            session.execute(text("SELECT 1"))

    def close(self) -> None:
        """Close every pooled connection."""
        self.engine.dispose()


class Listener:
    """Hears notifications of one connection; poll it from one thread."""

    def __init__(self, url: str, channels: tuple[str, ...]) -> None:
        try:
            self._connection = psycopg.connect(url, autocommit=True, connect_timeout=5)
            for channel in channels:
                self._connection.execute(psycopg.sql.SQL("LISTEN {}").format(psycopg.sql.Identifier(channel)))
        except psycopg.OperationalError as error:
            raise Unavailable("the database does not answer") from error

    def wait(self, timeout_s: float) -> list[tuple[str, str]]:
        """Return what was notified, as (channel, payload), after at most `timeout_s` seconds; often nothing.

        Raises:
            Unavailable: the connection broke; open a new one and look at everything again.
        """
        try:
            return [
                (each.channel, each.payload)
                for each in self._connection.notifies(timeout=timeout_s, stop_after=1)
            ] + [(each.channel, each.payload) for each in self._connection.notifies(timeout=0)]
        except psycopg.OperationalError as error:
            raise Unavailable("the database connection broke") from error

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


def cursor_of(session: Session, *, binary: bool = False) -> psycopg.Cursor[Any]:
    """Return a cursor of psycopg in the session's transaction: for COPY, and for a thousand rows at once.

    With `binary` it fetches values in PostgreSQL's own form.
    """
    # `Database` builds no engine but psycopg's.
    connection = cast("psycopg.Connection[Any]", session.connection().connection.dbapi_connection)
    return connection.cursor(binary=binary)


def is_outage(error: BaseException) -> bool:
    """Tell whether a database error means that the server is away or overloaded, not that the data is wrong.

    SQLSTATE classes 08 (connection), 53 (resources), 57 (operator intervention, shutdown), 58 (system),
    40 (rollback: deadlock, serialization) and 55P03 (lock not available). COPY goes around SQLAlchemy, so
    its errors are psycopg's own.
    """
    if isinstance(error, PoolTimeout):
        return True
    if isinstance(error, DBAPIError):
        if error.connection_invalidated:
            return True
        error = error.orig or error
    if not isinstance(error, psycopg.Error):
        return False
    state = error.sqlstate
    if state is None:
        return isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
    return state[:2] in {"08", "40", "53", "57", "58"} or state == "55P03"


def is_wrong_statement(error: BaseException) -> bool:
    """Tell whether the server did not understand a statement: SQLSTATE class 42, a missing table for one."""
    origin = error.orig if isinstance(error, DBAPIError) else error
    return isinstance(origin, psycopg.Error) and (origin.sqlstate or "").startswith("42")
