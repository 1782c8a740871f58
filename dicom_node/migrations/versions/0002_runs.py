"""Runs, and the files each was made from. Results made before have no run."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create both tables, point results at their run, and find objects by the UID they go by."""
    _create_runs()
    _create_run_inputs()
    run_id = sa.Column("run_id", sa.Integer(), sa.ForeignKey("runs.id", name="fk_results_runs"))
    op.add_column("results", run_id, inline_references=True)
    op.create_index("ix_results_run_id", "results", ["run_id"])
    op.create_index("ix_results_sop_instance_uid", "results", ["sop_instance_uid"])
    op.create_index("ix_deliveries_sent_sop_instance_uid", "deliveries", ["sent_sop_instance_uid"])
    op.create_index("ix_instances_sop_instance_uid", "instances", ["sop_instance_uid"])


def downgrade() -> None:
    """Forget which run made what."""
    op.drop_index("ix_instances_sop_instance_uid", "instances")
    op.drop_index("ix_deliveries_sent_sop_instance_uid", "deliveries")
    op.drop_index("ix_results_sop_instance_uid", "results")
    op.drop_index("ix_results_run_id", "results")
    op.drop_column("results", "run_id")
    op.drop_table("run_inputs")
    op.drop_table("runs")


def _create_runs() -> None:
    op.create_table(
        "runs",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("job_id", sa.Integer(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("received_first_at", sa.DateTime(timezone=True)),
        sa.Column("received_last_at", sa.DateTime(timezone=True)),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.Column("peak_rss_mb", sa.Float(), nullable=False),
        sa.Column("weights_sha256", sa.String(length=64), nullable=False),
        sa.Column("inputs_key", sa.String(length=64), nullable=False),
        sa.Column("request", sa.JSON(), nullable=False),
        sa.Column("config", sa.JSON(), nullable=False),
        sa.Column("installation", sa.JSON(), nullable=False),
        sa.Column("findings", sa.JSON(), nullable=False),
        sa.Column("verdict", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name="fk_runs_jobs"),
        sa.ForeignKeyConstraint(["weights_sha256"], ["models.weights_sha256"], name="fk_runs_models"),
        sa.PrimaryKeyConstraint("id", name="pk_runs"),
    )
    op.create_index("ix_runs_job_id", "runs", ["job_id"])
    op.create_index("ix_runs_weights_sha256", "runs", ["weights_sha256"])


def _create_run_inputs() -> None:
    op.create_table(
        "run_inputs",
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("sop_instance_uid", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("used", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_run_inputs_runs"),
        sa.PrimaryKeyConstraint("run_id", "path", name="pk_run_inputs"),
    )
    op.create_index("ix_run_inputs_sop_instance_uid", "run_inputs", ["sop_instance_uid"])
