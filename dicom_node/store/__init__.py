"""Studies, jobs, results and deliveries remembered: an index of the files, and the truth about work.

`Store` is imported when it is asked for: what only needs a number (`overview`) is there in half the time.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dicom_node.store.store import Store

__all__ = ["Store"]


def __getattr__(name: str) -> Any:
    if name != "Store":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from dicom_node.store.store import Store

    return Store
