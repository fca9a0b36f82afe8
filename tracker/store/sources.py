"""Sources: brokers of others that ingest itself connects to for an account."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY

from tracker.store.schema import Id, metadata, moment

sources = Table(
    "sources",
    metadata,
    Column("account_id", Id, primary_key=True, autoincrement=False),
    Column("source_id", Id, primary_key=True, autoincrement=False),
    Column("name", Text, nullable=False),
    Column("dialect", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("topics", ARRAY(Text), nullable=False),
    Column("credentials_sealed", LargeBinary),
    Column("paused", Boolean, nullable=False, server_default=text("false")),
    Column("state", Text, nullable=False),
    Column("detail", Text, nullable=False, server_default=text("''")),
    moment("state_at"),
    Column("messages", BigInteger, nullable=False, server_default=text("0")),
    moment("last_message_at", nullable=True),
    Column("holder", Text),
    moment("held_until", nullable=True),
    moment("created_at"),
    ForeignKeyConstraint(["account_id"], ["accounts.account_id"], ondelete="CASCADE"),
    Index("ix_sources_source_id", "source_id", unique=True),
)
