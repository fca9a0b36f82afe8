"""Devices that a gateway or source speaks of and nobody has adopted yet."""

from sqlalchemy import BigInteger, Column, ForeignKeyConstraint, Table, Text

from tracker.store.schema import Id, metadata, moment

unclaimed = Table(
    "unclaimed",
    metadata,
    Column("account_id", Id, primary_key=True, autoincrement=False),
    Column("origin_id", Id, primary_key=True, autoincrement=False),
    Column("external_id", Text, primary_key=True),
    Column("dialect", Text, nullable=False),
    moment("first_heard_at"),
    moment("last_heard_at"),
    Column("messages", BigInteger, nullable=False),
    ForeignKeyConstraint(["account_id"], ["accounts.account_id"], ondelete="CASCADE"),
)
