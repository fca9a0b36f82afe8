"""Gateways, sources, what waits to become a position, imports."""

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geometry
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# Positions from before 2025 lie in partitions of a year (ISO weeks) instead of a week.
_GATHER_OLD_WEEKS = r"""
DO $$ DECLARE week text; year int; BEGIN
  FOR week, year IN
    SELECT relname, substr(relname, 11, 4)::int FROM pg_inherits JOIN pg_class ON inhrelid = pg_class.oid
    WHERE inhparent = 'positions'::regclass AND relname ~ '^positions_\d{4}w\d\d$'
      AND relname < 'positions_2025'
  LOOP
    EXECUTE format('ALTER TABLE positions DETACH PARTITION %I', week);
    EXECUTE format(
      'CREATE TABLE IF NOT EXISTS positions_%s PARTITION OF positions FOR VALUES FROM (%L) TO (%L)',
      year, to_date(year || '-1', 'IYYY-IW') || ' 00:00+00',
      to_date(year + 1 || '-1', 'IYYY-IW') || ' 00:00+00'
    );
    EXECUTE format('INSERT INTO positions SELECT * FROM %I', week);
    EXECUTE format('DROP TABLE %I', week);
  END LOOP;
END $$
"""


def upgrade() -> None:
    _count_changes_of_devices()
    op.execute(_GATHER_OLD_WEEKS)
    op.create_table(
        "windows",
        sa.Column("account_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("device_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("dialect", sa.Text(), nullable=False),
        sa.Column("parts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("fresh", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id", "device_id"],
            ["devices.account_id", "devices.device_id"],
            name=op.f("fk_windows_account_id_device_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("account_id", "device_id", name=op.f("pk_windows")),
    )
    op.create_index("ix_windows_due_at", "windows", ["due_at"], unique=False)
    op.create_table(
        "gateways",
        sa.Column("account_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("gateway_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("dialect", sa.Text(), nullable=False),
        sa.Column("mqtt_password_hash", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("provisioned_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.account_id"], name=op.f("fk_gateways_account_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("account_id", "gateway_id", name=op.f("pk_gateways")),
    )
    op.create_index("ix_gateways_gateway_id", "gateways", ["gateway_id"], unique=True)
    op.create_table(
        "sources",
        sa.Column("account_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("source_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("dialect", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("topics", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("credentials_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("paused", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("state_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("messages", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("last_message_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("holder", sa.Text(), nullable=True),
        sa.Column("held_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.account_id"], name=op.f("fk_sources_account_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("account_id", "source_id", name=op.f("pk_sources")),
    )
    op.create_index("ix_sources_source_id", "sources", ["source_id"], unique=True)
    op.create_table(
        "unclaimed",
        sa.Column("account_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("origin_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("dialect", sa.Text(), nullable=False),
        sa.Column("first_heard_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_heard_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("messages", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.account_id"], name=op.f("fk_unclaimed_account_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("account_id", "origin_id", "external_id", name=op.f("pk_unclaimed")),
    )
    op.create_table(
        "imports",
        sa.Column("account_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("import_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("device_id", sa.BigInteger(), nullable=False),
        sa.Column("format", sa.Text(), nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("read_bytes", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("positions_read", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("positions_new", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("refused", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column(
            "detail",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("holder", sa.Text(), nullable=True),
        sa.Column("held_until", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id", "device_id"],
            ["devices.account_id", "devices.device_id"],
            name=op.f("fk_imports_account_id_device_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("account_id", "import_id", name=op.f("pk_imports")),
    )
    op.create_index("ix_imports_state", "imports", ["state"], unique=False)
    op.add_column(
        "devices",
        sa.Column(
            "settings",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
    )
    op.drop_index(op.f("uq_devices_account_id_external_id"), table_name="devices")
    op.create_index(
        "uq_devices_account_id_external_id",
        "devices",
        ["account_id", sa.literal_column("lower(external_id)")],
        unique=True,
    )
    # With it no update of a last position could be a heap-only one; the key serves the same questions.
    op.drop_index("ix_last_positions_account_id_updated_at", table_name="last_positions")
    op.add_column("last_positions", sa.Column("held_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column(
        "last_positions",
        sa.Column("held_geom", Geometry("POINT", srid=4326, spatial_index=False), nullable=True),
    )
    op.add_column("quarantine", sa.Column("origin_id", sa.BigInteger(), nullable=True))
    op.add_column("quarantine", sa.Column("external_id", sa.Text(), nullable=True))
    op.add_column(
        "quarantine", sa.Column("retained", sa.Boolean(), server_default=sa.text("false"), nullable=False)
    )
    op.add_column("quarantine", sa.Column("replayed_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("quarantine", sa.Column("replay_asked_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("quarantine", sa.Column("request_sealed", sa.LargeBinary(), nullable=True))
    op.add_column("quarantine", sa.Column("size_bytes", sa.Integer(), nullable=True))
    op.add_column("quarantine", sa.Column("dialect", sa.Text(), nullable=True))
    op.create_index(
        "ix_quarantine_replay_asked_at",
        "quarantine",
        ["replay_asked_at"],
        unique=False,
        postgresql_where=sa.text("replay_asked_at IS NOT NULL"),
    )
    _watch_directory()


def _count_changes_of_devices() -> None:
    op.create_table(
        "directory",
        sa.Column("one", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("changed_by", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("one", name=op.f("ck_directory_one")),
        sa.PrimaryKeyConstraint("one", name=op.f("pk_directory")),
    )
    op.execute("INSERT INTO directory (version, changed_by) VALUES (1, 0)")
    # Once a transaction: a thousand devices added together are one change.
    op.execute(
        """
        CREATE FUNCTION note_directory_change() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          UPDATE directory SET version = version + 1, changed_by = txid_current()
          WHERE changed_by <> txid_current();
          RETURN NULL;
        END $$
        """
    )


_TOLD = "account_id, subject_id, dialect, external_id, settings, payload_key_sealed, revoked_at"
_WATCHED = {"devices": _TOLD, "gateways": "account_id, dialect, revoked_at"}


def _watch_directory() -> None:
    for table, columns in _WATCHED.items():
        op.execute(
            f"CREATE TRIGGER note_directory_change AFTER INSERT OR DELETE OR UPDATE OF {columns} ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION note_directory_change()"
        )


def downgrade() -> None:
    for table in _WATCHED:
        op.execute(f"DROP TRIGGER note_directory_change ON {table}")
    op.execute("DROP FUNCTION note_directory_change")
    op.drop_table("directory")
    op.drop_index("ix_quarantine_replay_asked_at", table_name="quarantine")
    op.drop_column("quarantine", "dialect")
    op.drop_column("quarantine", "size_bytes")
    op.drop_column("quarantine", "request_sealed")
    op.drop_column("quarantine", "replay_asked_at")
    op.drop_column("quarantine", "replayed_at")
    op.drop_column("quarantine", "retained")
    op.drop_column("quarantine", "external_id")
    op.drop_column("quarantine", "origin_id")
    op.drop_column("last_positions", "held_geom")
    op.drop_column("last_positions", "held_at")
    op.create_index(
        "ix_last_positions_account_id_updated_at",
        "last_positions",
        ["account_id", "updated_at"],
        unique=False,
    )
    op.drop_index("uq_devices_account_id_external_id", table_name="devices")
    op.create_index(
        op.f("uq_devices_account_id_external_id"), "devices", ["account_id", "external_id"], unique=True
    )
    op.drop_column("devices", "settings")
    op.drop_index("ix_imports_state", table_name="imports")
    op.drop_table("imports")
    op.drop_table("unclaimed")
    op.drop_index("ix_sources_source_id", table_name="sources")
    op.drop_table("sources")
    op.drop_index("ix_gateways_gateway_id", table_name="gateways")
    op.drop_table("gateways")
    op.drop_index("ix_windows_due_at", table_name="windows")
    op.drop_table("windows")
