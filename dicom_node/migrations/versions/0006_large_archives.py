"""For archives of a million images: folders that need no look, and indexes for what is asked often."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_PARTIAL = (
    ("ix_instances_counted", "instances", "study_instance_uid", "current AND kept"),
    ("ix_instances_going", "instances", "path", "removed_at IS NOT NULL AND missing_since IS NULL"),
    ("ix_jobs_alarmed", "jobs", "id", "alarm <> ''"),
)


def upgrade() -> None:
    """No folder was looked at yet, so the next start looks at all."""
    op.create_table(
        "folders",
        sa.Column("folder", sa.String(64), nullable=False),
        sa.Column("modified_ns", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("folder", name="pk_folders"),
    )
    for name, table, column, where in _PARTIAL:
        op.create_index(name, table, [column], sqlite_where=sa.text(where), postgresql_where=sa.text(where))
    op.create_index("ix_deliveries_state", "deliveries", ["state"])


def downgrade() -> None:
    """Every start looks at every file again."""
    op.drop_index("ix_deliveries_state", "deliveries")
    for name, table, _, _ in reversed(_PARTIAL):
        op.drop_index(name, table)
    op.drop_table("folders")
