"""Brings a database to this version's schema, or tells that it is not there."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from tracker.store.session import Database

LOCK_TIMEOUT = "5s"
STATEMENT_TIMEOUT = "10min"


def config() -> Config:
    """Return Alembic's configuration with this package's migrations."""
    settings = Config()
    settings.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    settings.set_main_option("path_separator", "os")
    return settings


def upgrade(database: Database, revision: str = "head") -> None:
    """Run the missing migrations, one transaction each, one process at a time.

    A migration that waits more than 5 s for a lock, or a statement that runs more than 10 minutes, fails
    and leaves the schema at the last whole migration.
    """
    with database.engine.connect() as connection:
        connection.execute(text(f"SET lock_timeout = '{LOCK_TIMEOUT}'"))
        connection.execute(text(f"SET statement_timeout = '{STATEMENT_TIMEOUT}'"))
        connection.commit()
        # The session lock lets two starting copies take turns; it waits by asking, not by the lock timeout.
        while not connection.execute(text("SELECT pg_try_advisory_lock(7392, 1)")).scalar_one():
            connection.execute(text("SELECT pg_sleep(0.2)"))
        connection.commit()
        settings = config()
        settings.attributes["connection"] = connection
        try:
            command.upgrade(settings, revision)
        finally:
            # Closed and not given back to the pool: the session's lock and timeouts end with it, whatever
            # happened; a failed migration once kept the lock, and the next try waited for ever.
            connection.invalidate()


def is_at_head(database: Database) -> bool:
    """Tell whether the database has exactly this version's schema."""
    heads = set(ScriptDirectory.from_config(config()).get_heads())
    with database.engine.connect() as connection:
        return set(MigrationContext.configure(connection).get_current_heads()) == heads
