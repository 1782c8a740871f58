"""Images that retention removed, told apart from images that were lost."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing was removed so far."""
    op.add_column("instances", sa.Column("removed_at", sa.DateTime(timezone=True)))


def downgrade() -> None:
    """Forget that it was on purpose; what is gone counts as missing."""
    op.drop_column("instances", "removed_at")
