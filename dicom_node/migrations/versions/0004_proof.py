"""Proof of delivery: what a destination is asked about an object, and what it answered."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_OF_DELIVERIES = ("proof", "proof_method", "proof_comment", "proof_tries", "proof_due_at", "resends")


def upgrade() -> None:
    """What was delivered so far was never asked about, and is not asked about now."""
    nothing, never = sa.text("''"), sa.text("0")
    added = (
        sa.Column("proof", sa.String(16), nullable=False, server_default=nothing),
        sa.Column("proof_method", sa.String(16), nullable=False, server_default=nothing),
        sa.Column("proof_comment", sa.Text(), nullable=False, server_default=nothing),
        sa.Column("proof_tries", sa.Integer(), nullable=False, server_default=never),
        sa.Column("proof_due_at", sa.DateTime(timezone=True)),
        sa.Column("resends", sa.Integer(), nullable=False, server_default=never),
    )
    for column in added:
        op.add_column("deliveries", column)
    op.create_index("ix_deliveries_proof", "deliveries", ["proof", "destination", "proof_due_at"])
    _add_commitments()
    op.create_table(
        "proof_methods",
        sa.Column("destination", sa.String(32), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("method", sa.String(16), nullable=False),
        sa.Column("offered", sa.JSON(), nullable=False),
        sa.Column("probed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("destination", name="pk_proof_methods"),
    )


def _add_commitments() -> None:
    op.create_table(
        "commitments",
        sa.Column("transaction_uid", sa.String(64), nullable=False),
        sa.Column("destination", sa.String(32), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("transaction_uid", name="pk_commitments"),
    )
    transaction, delivery = "fk_commitment_items_commitments", "fk_commitment_items_deliveries"
    op.create_table(
        "commitment_items",
        sa.Column("transaction_uid", sa.String(64), nullable=False),
        sa.Column("delivery_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["transaction_uid"], ["commitments.transaction_uid"], name=transaction),
        sa.ForeignKeyConstraint(["delivery_id"], ["deliveries.id"], name=delivery),
        sa.PrimaryKeyConstraint("transaction_uid", "delivery_id", name="pk_commitment_items"),
    )


def downgrade() -> None:
    """Forget every proof; studies that were proved, or were not, count as delivered again."""
    for table in ("proof_methods", "commitment_items", "commitments"):
        op.drop_table(table)
    op.drop_index("ix_deliveries_proof", "deliveries")
    for name in _OF_DELIVERIES:
        op.drop_column("deliveries", name)
    op.execute("UPDATE jobs SET state = 'delivered' WHERE state IN ('committed', 'unconfirmed')")
