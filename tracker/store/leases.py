"""Who serves which part of the topics: broker connections leased by ingest processes."""

from sqlalchemy import Column, Table, Text

from tracker.store.schema import metadata, moment

leases = Table(
    "leases",
    metadata,
    Column("name", Text, primary_key=True),
    Column("holder", Text, nullable=False),
    moment("held_until"),
)

ingest_processes = Table(
    "ingest_processes",
    metadata,
    Column("process_id", Text, primary_key=True),
    moment("seen_at"),
)
