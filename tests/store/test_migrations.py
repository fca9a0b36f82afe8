"""Migrations on a real database."""

import secrets
from collections.abc import Iterator
from datetime import UTC, datetime
from threading import Thread

import pytest
from alembic import command
from sqlalchemy import inspect, text
from sqlalchemy.exc import OperationalError

from tests.geofence.scene import Scene, walk
from tests.kit.waiting import until
from tracker.local.postgres import Cluster
from tracker.store import migrate, positions
from tracker.store.session import Database
from tracker.store.tables import ALL


@pytest.fixture
def empty(shared_postgres: Cluster) -> Iterator[Database]:
    """A database with PostGIS and nothing else."""
    name = f"empty_{secrets.token_hex(4)}"
    shared_postgres.make_database(name)
    store = Database(shared_postgres.url(name), timeouts=False)
    yield store
    store.close()
    shared_postgres.drop_database(name)


def test_an_empty_database_is_brought_to_this_version(empty: Database) -> None:
    assert not migrate.is_at_head(empty)
    migrate.upgrade(empty)
    assert migrate.is_at_head(empty)
    assert {table.name for table in ALL} <= set(inspect(empty.engine).get_table_names())


def test_a_second_run_changes_nothing(empty: Database) -> None:
    migrate.upgrade(empty)
    migrate.upgrade(empty)
    assert migrate.is_at_head(empty)


def test_the_migrations_make_exactly_what_the_tables_say(database: Database) -> None:
    with database.engine.connect() as connection:
        settings = migrate.config()
        settings.attributes["connection"] = connection
        command.check(settings)


def test_geofences_can_be_taken_back_and_made_again(database: Database) -> None:
    with database.engine.connect() as connection:
        settings = migrate.config()
        settings.attributes["connection"] = connection
        command.downgrade(settings, "0002")
        assert "geofences" not in inspect(database.engine).get_table_names()
        command.upgrade(settings, "head")
        command.check(settings)


def test_positions_are_partitioned_and_have_no_default_partition(database: Database) -> None:
    with database.begin() as session:
        kinds = session.execute(
            text(
                "SELECT pg_get_expr(relpartbound, pg_class.oid) FROM pg_class"
                " JOIN pg_inherits ON inhrelid = pg_class.oid WHERE inhparent = 'positions'::regclass"
                " AND relkind = 'r'"
            )
        ).scalars()
        bounds = kinds.all()
    assert bounds
    assert all("FROM" in bound for bound in bounds)


def test_account_id_leads_every_key_of_account_data(database: Database) -> None:
    own_key = {
        "accounts",
        "login_requests",
        "code_entries",
        "rate_counters",
        "outbox",
        "quarantine",
        "directory",
        "rulebook",
        "heartbeats",
    }
    inspector = inspect(database.engine)
    for table in ALL:
        key = inspector.get_pk_constraint(table.name)["constrained_columns"]
        assert key[0] == "account_id" or table.name in own_key, table.name


def test_weeks_of_old_years_are_gathered_with_their_positions(empty: Database) -> None:
    migrate.upgrade(empty, "0001")
    weeks = {
        "positions_2010w52": "2010-12-27",
        "positions_2011w01": "2011-01-03",
        "positions_2025w01": "2024-12-30",
    }
    with empty.begin() as session:
        for name, begin in weeks.items():
            bounds = f"FROM ('{begin} 00:00+00') TO (timestamptz '{begin} 00:00+00' + interval '7 days')"
            session.execute(text(f"CREATE TABLE {name} PARTITION OF positions FOR VALUES {bounds}"))
        session.execute(
            text(
                "INSERT INTO positions (account_id, device_id, recorded_at, received_at, geom)"
                " SELECT 1, 1, moment, moment, ST_SetSRID(ST_MakePoint(1, 2), 4326)"
                " FROM unnest(ARRAY['2010-12-27', '2011-01-03', '2024-12-30']::timestamptz[]) AS moment"
            )
        )
    migrate.upgrade(empty)
    with empty.begin() as session:
        places = text("SELECT tableoid::regclass::text FROM positions ORDER BY recorded_at")
        assert session.execute(places).scalars().all() == [
            *("positions_2010", "positions_2011", "positions_2025w01")
        ]
        positions.ensure_partitions(
            session, {datetime(2010, 1, 4, tzinfo=UTC), datetime(2011, 12, 26, tzinfo=UTC)}
        )


def test_two_starting_copies_take_turns(empty: Database, shared_postgres: Cluster) -> None:
    with empty.engine.connect() as other:
        other.execute(text("SELECT pg_advisory_lock(7392, 1)"))
        other.commit()
        waiting = Thread(target=migrate.upgrade, args=(empty,))
        waiting.start()
        try:
            until(lambda: waits(empty), "the second copy to ask again and again")
            assert not migrate.is_at_head(empty)
        finally:
            other.execute(text("SELECT pg_advisory_unlock(7392, 1)"))
            other.commit()
            waiting.join(60)
    assert migrate.is_at_head(empty)


def waits(store: Database) -> bool:
    """Tell whether somebody asks for the migrations' lock and sleeps between."""
    asks = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        " AND pid <> pg_backend_pid() AND query = 'SELECT pg_sleep(0.2)'"
    )
    with store.begin() as session:
        return bool(session.execute(asks).scalar_one())


def test_a_migration_that_waits_for_a_lock_gives_up_and_leaves_the_schema_whole(empty: Database) -> None:
    with empty.engine.connect() as other:
        other.execute(text("CREATE TABLE accounts (x int)"))
        with pytest.raises(OperationalError, match="lock timeout"):
            migrate.upgrade(empty)
        other.rollback()
    assert not migrate.is_at_head(empty)
    assert "devices" not in inspect(empty.engine).get_table_names()
    # On another connection: a failed run must leave no lock behind.
    with empty.engine.connect() as _:
        migrate.upgrade(empty)
    assert migrate.is_at_head(empty)


def test_an_event_noted_as_late_by_an_older_version_can_be_read(database: Database) -> None:
    scene = Scene(database)
    scene.rule("arrived", scene.fence())
    scene.tell(*walk(scene, 0, 900.0, 800.0, 700.0, 20.0, 10.0, 0.0, 5.0, 0.0))
    with database.engine.connect() as connection:
        settings = migrate.config()
        settings.attributes["connection"] = connection
        command.downgrade(settings, "0003")
        connection.execute(text("UPDATE events SET news = 'late'"))
        connection.commit()
        command.upgrade(settings, "head")
    assert scene.events() == [("arrived", 90.0, "old")]
