"""Answers requests for commitment: takes up what the receiver wrote down, and reports until it was heard."""

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any, final

from dicom_node.archive.commitment_requests import RequestFiles
from dicom_node.committing.reporting import Reporting
from dicom_node.log import logger

log = logger(__name__)

REMEMBERED = timedelta(days=7)
"""A settled request is known so long: for `status`, and so that its transaction is not used again."""
MOST_REMEMBERED = 2_000

_LOOK_EVERY_S = 1.0
_FORGET_EVERY_S = 3600.0
_UNHEARD_S = 30.0
_CALLERS_AT_ONCE = 4


@final
class Clerk:
    """Goes through the waiting requests, each caller's one after the other; a silent caller delays no other.

    A request is begun when the receiver's line about it has come, for by then everything stored before it is
    known to the indexer. If that line was lost, it is begun after half a minute.
    """

    def __init__(self, files: RequestFiles, reporting: Reporting, clock: Callable[[], datetime]) -> None:
        self._files = files
        self._reporting = reporting
        self._clock = clock
        self._heard = set(files.names())
        self._seen: dict[str, float] = {}
        self._at_work: dict[str, Future[None]] = {}
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(_CALLERS_AT_ONCE, thread_name_prefix="commitment")

    def hear(self, event: Mapping[str, Any]) -> None:
        """A line of the receiver: somebody asked, has answered a report, or has closed its association."""
        match event["event"]:
            case "commitment-asked":
                self._reporting.asked(str(event["association"]))
                with self._lock:
                    self._heard.add(str(event["name"]))
            case "commitment-told":
                self._reporting.told(str(event["name"]), event["status"], str(event["why"]))
            case "closed":
                self._reporting.closed(str(event["association"]))

    def tasks(self) -> Mapping[str, tuple[float, Callable[[], object]]]:
        """What the clock shall call, and how often."""
        return {
            "commit": (_LOOK_EVERY_S, self.tick),
            "forget commitments": (_FORGET_EVERY_S, self.forget),
        }

    def tick(self) -> None:
        """Begin what is due. Does not wait."""
        names = self._files.names()
        with self._lock:
            self._heard &= set(names)
            self._seen = {name: self._seen.get(name, time.monotonic()) for name in names}
            begun = [name for name in names if name in self._heard or self._unheard_for_long(name)]
        for name in begun:
            caller = name.partition("-")[0]
            last = self._at_work.get(caller)
            if last is not None and not last.done():
                continue
            if last is not None and (error := last.exception()) is not None:
                log.error("commitment-failed", exc_info=error)
                del self._at_work[caller]
            if self._reporting.is_due(name):
                self._at_work[caller] = self._pool.submit(self._reporting.attempt, name)

    def forget(self) -> None:
        """Remove what is known of requests that were settled long ago."""
        self._files.forget(self._clock() - REMEMBERED, MOST_REMEMBERED)

    def close(self) -> None:
        """Wait for the tries under way, each bounded by its time-outs."""
        self._reporting.stop()
        self._pool.shutdown()

    def _unheard_for_long(self, name: str) -> bool:
        return time.monotonic() - self._seen[name] >= _UNHEARD_S
