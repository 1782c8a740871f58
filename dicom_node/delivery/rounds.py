"""Work that comes in rounds, each kind on a thread of its own."""

from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import final

import structlog

log = structlog.get_logger()


@final
class Rounds:
    """Calls each piece of work again and again, never twice at once; one that hangs delays no other."""

    def __init__(self, work: Mapping[str, Callable[[], object]]) -> None:
        self._work = dict(work)
        self._pool = ThreadPoolExecutor(max(1, len(self._work)), thread_name_prefix="courier")
        self._last: dict[str, Future[object]] = {}

    def tick(self) -> None:
        """Start a round of everything whose last one is over. Does not wait."""
        for name, work in self._work.items():
            last = self._last.get(name)
            if last is not None and not last.done():
                continue
            if last is not None and (error := last.exception()) is not None:
                log.error("delivery-round-failed", destination=name, exc_info=error)
            self._last[name] = self._pool.submit(work)

    def close(self) -> None:
        """Wait for the rounds under way."""
        self._pool.shutdown()
