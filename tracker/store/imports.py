"""Files of positions being read into a device's history."""

from sqlalchemy import BigInteger, Column, ForeignKeyConstraint, Index, Table, Text, text

from tracker.store.schema import Id, metadata, moment

imports = Table(
    "imports",
    metadata,
    Column("account_id", Id, primary_key=True, autoincrement=False),
    Column("import_id", Id, primary_key=True, autoincrement=False),
    Column("device_id", Id, nullable=False),
    Column("format", Text, nullable=False),
    Column("file_name", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("read_bytes", BigInteger, nullable=False, server_default=text("0")),
    Column("positions_read", BigInteger, nullable=False, server_default=text("0")),
    Column("positions_new", BigInteger, nullable=False, server_default=text("0")),
    Column("refused", BigInteger, nullable=False, server_default=text("0")),
    Column("state", Text, nullable=False),
    Column("detail", Text, nullable=False, server_default=text("''")),
    moment("created_at"),
    moment("changed_at"),
    Column("holder", Text),
    moment("held_until", nullable=True),
    ForeignKeyConstraint(
        ["account_id", "device_id"], ["devices.account_id", "devices.device_id"], ondelete="CASCADE"
    ),
    Index("ix_imports_state", "state"),
)
