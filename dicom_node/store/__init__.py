"""Studies, jobs, results and deliveries remembered: an index of the files, and the truth about work."""

from dicom_node.store.store import Store

__all__ = ["Store"]
