"""Slows down whoever sends faster than agreed; nothing is refused for it."""

import threading
import time
from typing import final

from dicom_node.receiver.settings import Caller


@final
class Paces:
    """Spaces out the objects of each caller that has a `max_objects_per_s`, over all its associations."""

    def __init__(self) -> None:
        self._next_s: dict[Caller, float] = {}
        self._lock = threading.Lock()
        self._stopping = threading.Event()

    def wait(self, caller: Caller | None) -> None:
        """Return when it is this object's turn; at once for callers without a limit, and when stopping."""
        if caller is None or not caller.max_objects_per_s:
            return
        with self._lock:
            turn_s = max(time.monotonic(), self._next_s.get(caller, 0.0))
            self._next_s[caller] = turn_s + 1.0 / caller.max_objects_per_s
        self._stopping.wait(turn_s - time.monotonic())

    def stop(self) -> None:
        """Let everybody pass."""
        self._stopping.set()
