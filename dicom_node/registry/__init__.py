"""Models that were imported: where they lie, how they stand, and which of them a study is read with."""

from dicom_node.registry.lineup import Reader, Readers, configured
from dicom_node.registry.registry import Registry
from dicom_node.registry.shelf import Shelf

__all__ = ["Reader", "Readers", "Registry", "Shelf", "configured"]
