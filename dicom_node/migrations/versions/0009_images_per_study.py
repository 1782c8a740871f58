"""How many images each study has, beside it: to count them took a walk over all of them."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_COUNTED = """
UPDATE studies SET images = (
  SELECT count(*) FROM instances
  WHERE instances.study_instance_uid = studies.study_instance_uid AND instances.current AND instances.kept
)
"""


def upgrade() -> None:
    """Counted once here, and by whoever changes them from now on."""
    op.add_column("studies", sa.Column("images", sa.Integer(), nullable=False, server_default=sa.text("0")))
    op.execute(_COUNTED)


def downgrade() -> None:
    """They are counted one by one again."""
    op.drop_column("studies", "images")
