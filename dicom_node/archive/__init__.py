"""Where received instances lie, as they came: the truth that the database is an index of."""

from dicom_node.archive.archive import Archive, Arrival, Kept

__all__ = ["Archive", "Arrival", "Kept"]
