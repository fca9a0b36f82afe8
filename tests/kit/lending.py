"""Databases lent to tests one after another; one is emptied in a tenth of the time that a copy takes.

A test may do what it likes with one. What cannot be undone by emptying tables (a partition made, a migration
run) shows in the catalogue; such a database is dropped, and so is one that was lent often, for its dead rows.
"""

import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import sql

from tests.kit.postgres import TEMPLATE
from tracker.local.postgres import Cluster

LENT_MOST = 40
_MINE = """
FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND NOT EXISTS (
  SELECT FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = pg_class.oid AND deptype = 'e')
"""
_CATALOGUE = """
SELECT (SELECT string_agg(oid || ':' || relname, ',' ORDER BY oid) FROM pg_class WHERE oid >= 16384),
       (SELECT count(*) FROM pg_attribute), (SELECT count(*) FROM pg_constraint),
       (SELECT count(*) FROM pg_proc), (SELECT count(*) FROM pg_trigger)
"""
_OTHERS = """
SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


class Lending:
    """The databases that one process of a test run has at hand."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._free: list[_Lent] = []

    @contextmanager
    def lend(self) -> Iterator[str]:
        """Give the address of a migrated, empty database that is the borrower's alone."""
        lent = self._free.pop() if self._free else _Lent(self._cluster)
        try:
            yield lent.url
        finally:
            if lent.is_clean_again():
                self._free.append(lent)
            else:
                lent.drop()

    def close(self) -> None:
        """Drop them all."""
        while self._free:
            self._free.pop().drop()


class _Lent:
    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._name = f"t_{secrets.token_hex(6)}"
        self._count = 0
        cluster.make_database(self._name, TEMPLATE)
        self.url = cluster.url(self._name)
        with self._cluster.superuser(self._name) as link:
            self._catalogue = link.execute(_CATALOGUE).fetchone()
            self._rows = {name: _rows(link, name) for name in _filled(link)}
            self._rows = {name: rows for name, rows in self._rows.items() if rows}

    def is_clean_again(self) -> bool:
        """Empty it; tell whether it is as it was made."""
        self._count += 1
        if self._count >= LENT_MOST:
            return False
        with self._cluster.superuser(self._name) as link:
            link.execute(_OTHERS)
            if link.execute(_CATALOGUE).fetchone() != self._catalogue:
                return False
            # No trigger is asked: neither who refers to a row nor what is told of its end matters here.
            link.execute("SET session_replication_role = replica")
            for name in _filled(link):
                if name not in self._rows:
                    link.execute(sql.SQL("DELETE FROM ONLY {}").format(sql.Identifier(name)))
                elif _rows(link, name) != self._rows[name]:
                    _put_back(link, name, self._rows[name])
        return True

    def drop(self) -> None:
        """Remove it."""
        self._cluster.drop_database(self._name)


def _filled(link: "psycopg.Connection[tuple[Any, ...]]") -> list[str]:
    """Return the tables that have, or once had, a row."""
    found = link.execute(f"SELECT relname {_MINE} AND pg_relation_size(oid) > 0 ORDER BY 1")
    return [name for (name,) in found]


def _rows(link: "psycopg.Connection[tuple[Any, ...]]", name: str) -> list[Any]:
    table = sql.Identifier(name)
    found = link.execute(sql.SQL("SELECT to_jsonb({0}) FROM ONLY {0}").format(table))
    return sorted((row for (row,) in found), key=repr)


def _put_back(link: "psycopg.Connection[tuple[Any, ...]]", name: str, rows: list[Any]) -> None:
    table = sql.Identifier(name)
    with link.transaction():
        link.execute(sql.SQL("DELETE FROM ONLY {}").format(table))
        link.execute(
            sql.SQL("INSERT INTO {0} SELECT * FROM jsonb_populate_recordset(NULL::{0}, %s)").format(table),
            (json.dumps(rows),),
        )
