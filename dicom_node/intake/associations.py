"""Which senders are still talking about which study."""

import threading
from collections import defaultdict


class OpenAssociations:
    """Thread-safe; filled from the receiver's events. After a restart there are none, by definition."""

    def __init__(self) -> None:
        self._studies: dict[str, set[str]] = defaultdict(set)
        self._lock = threading.Lock()

    def stored(self, association: str, study_instance_uid: str) -> None:
        """`association` has sent an instance of the study."""
        with self._lock:
            self._studies[association].add(study_instance_uid)

    def closed(self, association: str) -> None:
        """`association` was released, aborted or lost."""
        with self._lock:
            self._studies.pop(association, None)

    def clear(self) -> None:
        """The receiver died, and every association with it."""
        with self._lock:
            self._studies.clear()

    def studies(self) -> frozenset[str]:
        """The studies to which an open association has sent instances."""
        with self._lock:
            return frozenset().union(*self._studies.values())
