"""The tables of the models that were imported, of what was done with them, and of answers in the shadow."""

from sqlalchemy import JSON, Column, Float, ForeignKey, String, Table

from dicom_node.store.column_types import UtcDateTime
from dicom_node.store.columns import id_column, words_column
from dicom_node.store.schema import metadata

# `standing` of a model that is in the last line-up of `model_acts` means nothing: it is active.
registered_models = Table(
    "registered_models",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("manifest", JSON, nullable=False),
    Column("standing", String(16), nullable=False),
    Column("since", UtcDateTime, nullable=False),
    Column("imported_at", UtcDateTime, nullable=False),
    words_column("origin"),
    words_column("signer"),
)

# Who did what to which model, and which models answered from then on. No row is ever changed.
model_acts = Table(
    "model_acts",
    metadata,
    id_column(),
    Column("at", UtcDateTime, nullable=False),
    words_column("who"),
    Column("what", String(16), nullable=False),
    words_column("digest"),
    words_column("reason"),
    Column("lineup", JSON, nullable=False),
)

# What a model in the shadow said to the inputs of a run. `outcome` is the analysis's, or "died".
shadow_answers = Table(
    "shadow_answers",
    metadata,
    Column("run_id", ForeignKey("runs.id"), primary_key=True),
    Column("digest", ForeignKey(registered_models.c.digest), primary_key=True),
    Column("answered_at", UtcDateTime, nullable=False),
    Column("seconds", Float, nullable=False),
    Column("outcome", String(16), nullable=False),
    words_column("reason"),
    Column("probability", Float),
    Column("threshold", Float),
)
