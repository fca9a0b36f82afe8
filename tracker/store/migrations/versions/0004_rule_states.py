"""Late news is told at once: none waits any more, and rule states lose what nobody reads.

Revision ID: 0004
Revises: 0003
"""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Drop the columns; what was noted as late is old by now."""
    op.execute("UPDATE events SET news = 'old' WHERE news = 'late'")
    op.execute("ALTER TABLE rule_states DROP COLUMN mid_at, DROP COLUMN old_at, DROP COLUMN told_event_id")


def downgrade() -> None:
    """Make them again, empty."""
    op.execute(
        "ALTER TABLE rule_states ADD COLUMN mid_at timestamptz, ADD COLUMN old_at timestamptz,"
        " ADD COLUMN told_event_id bigint"
    )
