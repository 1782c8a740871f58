"""One association's thread computes at a time, while others wait for the disk or for their peers.

The interpreter does that anyway, but its lock changes hands at every system call: eight associations that
store at once spent a third of the receiver's time on waking each other, some fifty times per image. A turn is
kept over all short calls, and given away where somebody waits.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import final


@final
class Turn:
    """A lock that knows who has it: `with turn` to compute, and `with turn.away()` within to wait."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._holder = 0

    def __enter__(self) -> None:
        self._lock.acquire()
        self._holder = threading.get_ident()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._holder = 0
        self._lock.release()

    @contextmanager
    def away(self) -> Iterator[None]:
        """Others may go on for as long as the block runs. Whoever has no turn gives none away."""
        held = self._holder == threading.get_ident()
        if held:
            self.__exit__(None, None, None)
        try:
            yield
        finally:
            if held:
                self.__enter__()
