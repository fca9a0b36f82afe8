"""Alembic's entry: migrates the database whose connection `tracker.store.migrate` hands over."""

from alembic import context
from geoalchemy2 import alembic_helpers
from sqlalchemy import Connection, text

from tracker.store import tables
from tracker.store.schema import metadata

connection: Connection = context.config.attributes["connection"]
partitions = {row[0] for row in connection.execute(text("SELECT relname FROM pg_class WHERE relispartition"))}
# The query above began a transaction; left open, it would swallow the migrations' commit.
connection.rollback()


def include_name(name: str | None, kind: str, parents: object) -> bool:  # noqa: ARG001
    """Leave out partitions: they are made as data comes, never by models."""
    return not (kind == "table" and name in partitions)


assert tables  # noqa: S101 - imported so that every table is in the metadata
context.configure(
    connection=connection,
    target_metadata=metadata,
    include_name=include_name,
    include_object=alembic_helpers.include_object,
    process_revision_directives=alembic_helpers.writer,
    render_item=alembic_helpers.render_item,
    compare_server_default=False,
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
