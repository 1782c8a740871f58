"""Images that were refused because the disk was full: their sender will try again, and we wait for it."""

import threading
from dataclasses import dataclass, field
from typing import final

_MOST_INSTANCES = 100_000


@dataclass(slots=True)
class _Owed:
    last_refused_s: float
    instances: set[str] = field(default_factory=set)


@final
class Postponed:
    """Thread-safe; filled from the receiver's events.

    A restart forgets them: then the study is judged by what is there, and reopened by what comes later.

    Args:
        wait_s: a study is waited for so long after the last refusal.
    """

    def __init__(self, wait_s: float) -> None:
        self._wait_s = wait_s
        self._studies: dict[str, _Owed] = {}
        self._count = 0
        self._lock = threading.Lock()

    def refused(self, study_instance_uid: str, sop_instance_uid: str, steady_s: float) -> None:
        """The instance was refused at `steady_s` (monotonic seconds), and is to be sent again."""
        with self._lock:
            owed = self._studies.setdefault(study_instance_uid, _Owed(steady_s))
            owed.last_refused_s = steady_s
            if sop_instance_uid not in owed.instances and self._count < _MOST_INSTANCES:
                owed.instances.add(sop_instance_uid)
                self._count += 1

    def came(self, study_instance_uid: str, sop_instance_uid: str) -> None:
        """The instance was stored."""
        with self._lock:
            owed = self._studies.get(study_instance_uid)
            if owed is None or sop_instance_uid not in owed.instances:
                return
            owed.instances.remove(sop_instance_uid)
            self._count -= 1
            if not owed.instances:
                del self._studies[study_instance_uid]

    def expects(self, study_instance_uid: str, steady_s: float) -> bool:
        """Whether something of the study was refused, has not come since, and may still come."""
        with self._lock:
            owed = self._studies.get(study_instance_uid)
            if owed is None:
                return False
            if steady_s - owed.last_refused_s <= self._wait_s:
                return True
            self._count -= len(owed.instances)
            del self._studies[study_instance_uid]
            return False
