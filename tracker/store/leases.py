"""Who serves which part of the topics: locks that end with the connection of whoever holds them.

A killed process' connection ends at once, and with it its locks. One that hangs, or whose machine is cut off,
is thrown out by the server: it must say something every few seconds.
"""

from collections.abc import Iterable

import psycopg

from tracker.domain.errors import Unavailable

SLOTS = 7393
"""First key of the advisory locks of slots; the second is the slot's number."""
PROCESSES = 7394
"""First key of the locks by which processes show that they live; the second is their connection's number."""
SILENT_S = 8
"""After so many seconds of silence the server ends the connection."""

_OPTIONS = (
    f"-c idle_session_timeout={SILENT_S}s -c tcp_keepalives_idle=4 -c tcp_keepalives_interval=2"
    " -c tcp_keepalives_count=2 -c statement_timeout=5s"
)
_LOOK = """
SELECT classid::int, objid::int, pid FROM pg_locks
WHERE locktype = 'advisory' AND granted AND objsubid = 2 AND classid IN (%s, %s)
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


class Leases:
    """One process' locks, on a connection of their own; used by one thread.

    Raises:
        Unavailable: from every method: the database is away, and every lock is lost.
    """

    def __init__(self, url: str) -> None:
        try:
            self._connection = psycopg.connect(url, autocommit=True, connect_timeout=5, options=_OPTIONS)
            self.me = self._connection.info.backend_pid
            self._connection.execute("SELECT pg_advisory_lock(%s, %s)", (PROCESSES, self.me))
        except psycopg.Error as error:
            raise Unavailable("the database does not answer") from error

    def look(self) -> tuple[dict[int, int], set[int]]:
        """Return who holds which slot, and the living processes."""
        try:
            rows = self._connection.execute(_LOOK, (SLOTS, PROCESSES)).fetchall()
        except psycopg.Error as error:
            raise Unavailable("the database connection broke") from error
        holders = {slot: pid for key, slot, pid in rows if key == SLOTS}
        return holders, {pid for key, _, pid in rows if key == PROCESSES}

    def take(self, slots: Iterable[int]) -> set[int]:
        """Lock slots; return those that nobody else was faster at."""
        return {slot for slot in slots if self._ask("SELECT pg_try_advisory_lock(%s, %s)", slot)}

    def release(self, slots: Iterable[int]) -> None:
        """Unlock slots."""
        for slot in slots:
            self._ask("SELECT pg_advisory_unlock(%s, %s)", slot)

    def close(self) -> None:
        """End the connection, and every lock with it."""
        self._connection.close()

    def _ask(self, question: str, slot: int) -> bool:
        try:
            row = self._connection.execute(question, (SLOTS, slot)).fetchone()
        except psycopg.Error as error:
            raise Unavailable("the database connection broke") from error
        return bool(row and row[0])
