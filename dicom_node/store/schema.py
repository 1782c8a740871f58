"""The tables. Migrations in `dicom_node/migrations` lead a database here."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    String,
    Table,
    UniqueConstraint,
    text,
)

from dicom_node.store.column_types import UtcDateTime, Words
from dicom_node.store.columns import count_column, id_column, partial_index, refers, words_column
from dicom_node.store.label_tables import labels as labels
from dicom_node.store.metadata import metadata as metadata

# `images`: how many of its rows in `instances` are current and kept (dicom_node/store/tally.py).
studies = Table(
    "studies",
    metadata,
    Column("study_instance_uid", Words, primary_key=True),
    words_column("patient_id"),
    Column("first_seen_at", UtcDateTime, nullable=False),
    Column("images", Integer, nullable=False, default=0, server_default=text("0")),
)

series = Table(
    "series",
    metadata,
    Column("study_instance_uid", ForeignKey(studies.c.study_instance_uid), primary_key=True),
    Column("series_instance_uid", Words, primary_key=True),
    words_column("modality"),
    Column("series_number", Integer),
    words_column("series_description"),
)

IMAGE_COUNTS = "current AND kept"
"""Which rows of `instances` are images: SQLite takes the index of them for these very words alone."""

# A file nobody could read has a row, so that it is not read at every start; its UIDs may be unknown.
# `removed_at` alone: retention has decided, the file may still lie there; with `missing_since`: it is gone.
instances = Table(
    "instances",
    metadata,
    id_column(),
    Column("path", Words, nullable=False, unique=True),
    words_column("digest"),
    Column("study_instance_uid", ForeignKey(studies.c.study_instance_uid)),
    Column("series_instance_uid", Words),
    Column("sop_instance_uid", Words, nullable=False, default="", index=True),
    words_column("sop_class_uid"),
    words_column("transfer_syntax_uid"),
    words_column("source_ae_title"),
    Column("received_at", UtcDateTime, nullable=False),
    Column("pixel_offset", BigInteger),
    Column("pixel_length", BigInteger),
    Column("facts", JSON(none_as_null=True)),
    Column("current", Boolean, nullable=False),
    Column("kept", Boolean, nullable=False),
    words_column("unusable"),
    Column("missing_since", UtcDateTime),
    Column("removed_at", UtcDateTime),
    ForeignKeyConstraint(
        ["study_instance_uid", "series_instance_uid"],
        [series.c.study_instance_uid, series.c.series_instance_uid],
    ),
    Index(None, "study_instance_uid", "sop_instance_uid"),
    partial_index("ix_instances_counted", "study_instance_uid", IMAGE_COUNTS),
    partial_index("ix_instances_going", "path", "removed_at IS NOT NULL AND missing_since IS NULL"),
)

# A folder of the archive that was found in line with the rows when it had this time of modification; 0: when
# it was not there.
folders = Table(
    "folders",
    metadata,
    Column("folder", String(64), primary_key=True),
    Column("modified_ns", BigInteger, nullable=False),
)

jobs = Table(
    "jobs",
    metadata,
    id_column(),
    Column("study_instance_uid", ForeignKey(studies.c.study_instance_uid), nullable=False, unique=True),
    Column("state", String(16), nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
    count_column("generation"),
    count_column("attempts"),
    words_column("reason"),
    Column("verdict", JSON(none_as_null=True)),
    Column("alarm", Words, nullable=False, default="", server_default=text("''")),
    Index(None, "state", "changed_at"),
    partial_index("ix_jobs_alarmed", "id", "alarm <> ''"),
)

# A line whose two states are equal is not a move but something worth knowing.
job_events = Table(
    "job_events",
    metadata,
    id_column(),
    refers("job_id", "jobs.id"),
    Column("at", UtcDateTime, nullable=False),
    Column("from_state", String(16)),
    Column("to_state", String(16), nullable=False),
    Column("generation", Integer, nullable=False),
    words_column("reason"),
    Column("actor", String(32), nullable=False),
)

models = Table(
    "models",
    metadata,
    Column("weights_sha256", String(64), primary_key=True),
    Column("manifest", JSON, nullable=False),
    Column("first_seen_at", UtcDateTime, nullable=False),
)

# One row per run whose results were recorded: all that its answer depended on, as it was then. A notice is no
# model's answer: its row of `models` is the one whose weights are "".
runs = Table(
    "runs",
    metadata,
    id_column(),
    refers("job_id", "jobs.id"),
    Column("generation", Integer, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("received_first_at", UtcDateTime),
    Column("received_last_at", UtcDateTime),
    Column("claimed_at", UtcDateTime, nullable=False),
    Column("recorded_at", UtcDateTime, nullable=False),
    Column("seconds", Float, nullable=False),
    Column("peak_rss_mb", Float, nullable=False),
    refers("weights_sha256", "models.weights_sha256"),
    Column("inputs_key", String(64), nullable=False),
    Column("request", JSON, nullable=False),
    Column("config", JSON, nullable=False),
    Column("installation", JSON, nullable=False),
    Column("findings", JSON, nullable=False),
    Column("verdict", JSON, nullable=False),
)

# Copies, not references: what a report was made from stays known when the images are gone.
run_inputs = Table(
    "run_inputs",
    metadata,
    Column("run_id", ForeignKey("runs.id"), primary_key=True),
    Column("path", Words, primary_key=True),
    Column("sop_instance_uid", Words, nullable=False, index=True),
    Column("digest", String(64), nullable=False),
    Column("used", Boolean, nullable=False),
)

# `run_id` is unknown for results from before runs were remembered.
results = Table(
    "results",
    metadata,
    id_column(),
    refers("job_id", "jobs.id"),
    Column("run_id", ForeignKey("runs.id"), index=True),
    Column("generation", Integer, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("sop_class_uid", Words, nullable=False),
    Column("sop_instance_uid", Words, nullable=False, index=True),
    Column("series_instance_uid", Words, nullable=False),
    Column("path", Words, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("weights_sha256", ForeignKey(models.c.weights_sha256), nullable=False),
    Column("inputs_key", String(64), nullable=False),
    Column("made_at", UtcDateTime, nullable=False),
    Column("current", Boolean, nullable=False),
    Column("superseded_at", UtcDateTime),
    UniqueConstraint("job_id", "generation", "sop_instance_uid"),
)

# `attempts` counts hand-outs to a sender, `misses` those that surely reached nobody: a crash between the
# two leaves attempts > misses, and the object counts as one that may have arrived.
deliveries = Table(
    "deliveries",
    metadata,
    id_column(),
    refers("result_id", "results.id"),
    Column("destination", String(32), nullable=False),
    Column("state", String(16), nullable=False),
    count_column("attempts"),
    count_column("misses"),
    Column("created_at", UtcDateTime, nullable=False),
    Column("next_try_at", UtcDateTime, nullable=False),
    Column("status", Integer),
    words_column("comment"),
    words_column("sent_sop_class_uid"),
    Column("sent_sop_instance_uid", Words, nullable=False, default="", index=True),
    Column("sent_at", UtcDateTime),
    Column("proof", String(16), nullable=False, default="", server_default=text("''")),
    Column("proof_method", String(16), nullable=False, default="", server_default=text("''")),
    Column("proof_comment", Words, nullable=False, default="", server_default=text("''")),
    Column("proof_tries", Integer, nullable=False, default=0, server_default=text("0")),
    Column("proof_due_at", UtcDateTime),
    Column("resends", Integer, nullable=False, default=0, server_default=text("0")),
    UniqueConstraint("result_id", "destination"),
    Index(None, "destination", "state", "next_try_at"),
    Index("ix_deliveries_proof", "proof", "destination", "proof_due_at"),
    Index("ix_deliveries_state", "state"),
)

# A transaction is here before its request leaves us, so that no report can come for one we do not know.
commitments = Table(
    "commitments",
    metadata,
    Column("transaction_uid", String(64), primary_key=True),
    Column("destination", String(32), nullable=False),
    Column("asked_at", UtcDateTime, nullable=False),
    Column("answered_at", UtcDateTime),
)

commitment_items = Table(
    "commitment_items",
    metadata,
    Column("transaction_uid", ForeignKey(commitments.c.transaction_uid), primary_key=True),
    Column("delivery_id", ForeignKey(deliveries.c.id), primary_key=True),
)

# What `proof: auto` has found out.
proof_methods = Table(
    "proof_methods",
    metadata,
    Column("destination", String(32), primary_key=True),
    Column("address", Words, nullable=False),
    Column("method", String(16), nullable=False),
    Column("offered", JSON, nullable=False),
    Column("probed_at", UtcDateTime, nullable=False),
)
