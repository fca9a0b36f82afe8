"""Gateways: one credential for many devices of one account, each known by its external id."""

from sqlalchemy import Column, ForeignKeyConstraint, Index, Table, Text

from tracker.store.schema import Id, metadata, moment

gateways = Table(
    "gateways",
    metadata,
    Column("account_id", Id, primary_key=True, autoincrement=False),
    Column("gateway_id", Id, primary_key=True, autoincrement=False),
    Column("name", Text, nullable=False),
    Column("dialect", Text, nullable=False),
    Column("mqtt_password_hash", Text, nullable=False),
    moment("created_at"),
    moment("provisioned_at", nullable=True),
    moment("revoked_at", nullable=True),
    ForeignKeyConstraint(["account_id"], ["accounts.account_id"], ondelete="CASCADE"),
    Index("ix_gateways_gateway_id", "gateway_id", unique=True),
)
