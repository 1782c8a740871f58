"""Alarms: why nothing of a study may go out until an operator says so."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Every job so far is free of alarm."""
    op.add_column("jobs", sa.Column("alarm", sa.Text(), nullable=False, server_default=sa.text("''")))


def downgrade() -> None:
    """Forget the alarms; what was withheld would go out."""
    op.drop_column("jobs", "alarm")
