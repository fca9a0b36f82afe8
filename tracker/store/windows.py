"""What assembling dialects last said of each device, and which of it waits to become a position."""

from sqlalchemy import Column, ForeignKeyConstraint, Index, Table, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from tracker.store.schema import Id, metadata, moment

windows = Table(
    "windows",
    metadata,
    Column("account_id", Id, primary_key=True, autoincrement=False),
    Column("device_id", Id, primary_key=True, autoincrement=False),
    Column("dialect", Text, nullable=False),
    Column("parts", JSONB, nullable=False),
    Column("fresh", ARRAY(Text), nullable=False),
    moment("received_at"),
    moment("due_at", nullable=True),
    ForeignKeyConstraint(
        ["account_id", "device_id"], ["devices.account_id", "devices.device_id"], ondelete="CASCADE"
    ),
    Index("ix_windows_due_at", "due_at"),
)
