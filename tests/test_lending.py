"""A database lent to a test is as empty as a new one, whatever the test before did with it."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg import sql

from tests.ingest.conftest import add_device
from tests.kit.lending import Lending
from tracker.local.postgres import Cluster
from tracker.store.session import Database


@pytest.fixture
def of_its_own(shared_postgres: Cluster) -> Iterator[Lending]:
    """A lending that no other test borrows from."""
    made = Lending(shared_postgres)
    yield made
    made.close()


def held(url: str) -> dict[str, list[Any]]:
    """Every row of every table but those of PostGIS."""
    with psycopg.connect(url) as link:
        names = link.execute(
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
            " AND relname <> 'spatial_ref_sys'"
        ).fetchall()
        asked = {
            name: sql.SQL("SELECT to_jsonb({0}) FROM {0}").format(sql.Identifier(name)) for (name,) in names
        }
        return {name: link.execute(ask).fetchall() for name, ask in asked.items()}


def test_what_a_test_stored_is_gone_and_what_was_there_is_back(of_its_own: Lending) -> None:
    with of_its_own.lend() as first:
        new = held(first)
        store = Database(first)
        with store.begin() as session:
            add_device(session)
        store.close()
        assert held(first)["directory"] != new["directory"]
        assert held(first)["devices"] != []
    with of_its_own.lend() as again:
        assert again == first
        assert held(again) == new


@pytest.mark.parametrize(
    "change",
    [
        "CREATE TABLE positions_old PARTITION OF positions FOR VALUES FROM ('2001-01-01') TO ('2001-01-08')",
        "ALTER TABLE subjects ADD COLUMN other int",
        "DROP TABLE mutes",
    ],
)
def test_one_whose_tables_were_changed_is_not_lent_again(of_its_own: Lending, change: str) -> None:
    with of_its_own.lend() as first, psycopg.connect(first, autocommit=True) as link:
        link.execute(change)
    with of_its_own.lend() as other:
        assert other != first


def test_a_session_left_open_keeps_nothing_from_the_next(of_its_own: Lending) -> None:
    with of_its_own.lend() as first:
        left = psycopg.connect(first)
        left.execute("LOCK TABLE accounts")
    with of_its_own.lend() as again, psycopg.connect(again) as link:
        assert link.execute("SELECT count(*) FROM accounts").fetchone() == (0,)
    left.close()
