"""Models that are imported, activated and taken back on a running node, and asked in the shadow."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Nothing was imported yet: the configured model goes on answering."""
    op.create_table(
        "registered_models",
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("manifest", sa.JSON(), nullable=False),
        sa.Column("standing", sa.String(16), nullable=False),
        sa.Column("since", _TIME, nullable=False),
        sa.Column("imported_at", _TIME, nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("signer", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_registered_models"),
    )
    op.create_table(
        "model_acts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("what", sa.String(16), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("lineup", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_model_acts"),
    )
    op.create_table(
        "shadow_answers",
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("answered_at", _TIME, nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("probability", sa.Float(), nullable=True),
        sa.Column("threshold", sa.Float(), nullable=True),
        sa.PrimaryKeyConstraint("run_id", "digest", name="pk_shadow_answers"),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_shadow_answers_runs"),
        sa.ForeignKeyConstraint(
            ["digest"], ["registered_models.digest"], name="fk_shadow_answers_registered_models"
        ),
    )


def downgrade() -> None:
    """What is in `data/models` stays there; the configured model answers again."""
    op.drop_table("shadow_answers")
    op.drop_table("model_acts")
    op.drop_table("registered_models")
