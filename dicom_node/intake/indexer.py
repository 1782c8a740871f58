"""The thread between the receiver and the database: many arrivals, few transactions."""

import threading
from collections.abc import Callable
from datetime import datetime
from typing import final

from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    sleep_using_event,
    stop_when_event_set,
    wait_exponential,
)

from dicom_node.errors import StoreUnavailable
from dicom_node.intake.index import BATCH, Index, Told
from dicom_node.log import logger

log = logger(__name__)

_GATHER_S = 0.05
_LONGEST_PAUSE_S = 5.0


@final
class Indexer:
    """Files what is `put`, within a twentieth of a second or by 200 at a time.

    A database that is locked or full is tried again until it answers or the indexer stops. Nothing is lost
    either way: the files are there, and `Index.rebuild` finds them at the next start.
    """

    def __init__(
        self, index: Index, clock: Callable[[], datetime], on_filed: Callable[[], object] = lambda: None
    ) -> None:
        """`on_filed` is called when everything that was put has its row."""
        self._index = index
        self._on_filed = on_filed
        self._hurried = False
        self._clock = clock
        self._waiting: dict[str, Told] = {}
        self._in_hand: dict[str, Told] = {}
        self._changed = threading.Condition()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="indexer", daemon=True)

    def start(self) -> None:
        """Begin to file."""
        self._thread.start()

    def put(self, path: str, study_uid: str = "", digest: str = "") -> None:
        """A file was archived; for study and digest see `Told`. Returns at once."""
        with self._changed:
            self._waiting[path] = Told(study_uid, digest)
            if len(self._waiting) in (1, BATCH):  # in between the indexer gathers: waking it costs more
                self._changed.notify_all()

    def hurry(self) -> None:
        """Nothing more is coming for now: file what waits without waiting for more."""
        with self._changed:
            self._hurried = bool(self._waiting)
            self._changed.notify_all()

    def pending(self) -> frozenset[str]:
        """Studies of which files wait for their row: not the moment to judge them."""
        with self._changed:
            told = (*self._waiting.values(), *self._in_hand.values())
            return frozenset(one.study_instance_uid for one in told) - {""}

    def wait_idle(self, timeout_s: float) -> bool:
        """Wait until everything that was put has been filed; False after `timeout_s`."""
        with self._changed:
            return self._changed.wait_for(lambda: not (self._waiting or self._in_hand), timeout_s)

    def stop(self) -> None:
        """File what waits, once, and end the thread."""
        with self._changed:
            self._stopping.set()
            self._changed.notify_all()
        self._thread.join()

    def _run(self) -> None:
        while self._gather():
            try:
                self._file_patiently(self._in_hand)
            except StoreUnavailable as error:
                log.warning("index-left-behind", files=len(self._in_hand), reason=str(error))
            with self._changed:
                self._in_hand = {}
                filed = not self._waiting
                self._changed.notify_all()
            if filed:
                self._on_filed()

    def _gather(self) -> bool:
        """Take the next batch in hand; False when there is none and never will be."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._stopping.is_set())
            self._changed.wait_for(self._enough, _GATHER_S)
            paths = list(self._waiting)[:BATCH]
            self._hurried = self._hurried and len(self._waiting) > len(paths)
            self._in_hand = {path: self._waiting.pop(path) for path in paths}
            return bool(self._in_hand)

    def _enough(self) -> bool:
        return len(self._waiting) >= BATCH or self._hurried or self._stopping.is_set()

    def _file_patiently(self, batch: dict[str, Told]) -> None:
        attempts = Retrying(
            retry=retry_if_exception_type(StoreUnavailable),
            wait=wait_exponential(multiplier=0.1, max=_LONGEST_PAUSE_S),
            stop=stop_when_event_set(self._stopping),
            sleep=sleep_using_event(self._stopping),
            before_sleep=_say,
            reraise=True,
        )
        attempts(lambda: self._index.take(batch, self._clock(), batch))


def _say(state: RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    log.warning("index-waits", attempt=state.attempt_number, reason=str(error))
