"""The table of what is known of studies from elsewhere."""

from sqlalchemy import Boolean, Column, Date, ForeignKey, Index, String, Table, text

from dicom_node.store.column_types import UtcDateTime
from dicom_node.store.columns import id_column, words_column
from dicom_node.store.metadata import metadata

# An answer that was corrected stays, with `superseded_at`. Of those that stand, one per study and label
# (in PostgreSQL by the migration's word alone: see `partial_index`).
labels = Table(
    "labels",
    metadata,
    id_column(),
    Column("study_instance_uid", ForeignKey("studies.study_instance_uid"), nullable=False),
    Column("label", String(64), nullable=False),
    Column("answer", Boolean, nullable=False),
    words_column("source"),
    Column("read_on", Date, nullable=False),
    Column("imported_at", UtcDateTime, nullable=False),
    words_column("imported_by"),
    Column("superseded_at", UtcDateTime),
    Index(
        "ix_labels_standing",
        "study_instance_uid",
        "label",
        unique=True,
        sqlite_where=text("superseded_at IS NULL"),
    ),
)
