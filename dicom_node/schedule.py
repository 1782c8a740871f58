"""APScheduler as a clock: it says when, never what. The truth about work is the jobs table."""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import final

from apscheduler.jobstores.base import JobLookupError
from apscheduler.schedulers.background import BackgroundScheduler

from dicom_node.log import logger

log = logger(__name__)

# It warns at every tick that finds its task still at work; for ours that is how it should be.
logging.getLogger("apscheduler.scheduler").setLevel(logging.ERROR)


_LOOK_EVERY_S = 1.0


def _now() -> datetime:
    return datetime.now(UTC)


_JUMP = timedelta(seconds=2)


@final
class ClockWatch:
    """Notices when the time of day is set, by a clock that nobody sets."""

    def __init__(self, at: datetime, steady_s: float) -> None:
        self._offset = at - timedelta(seconds=steady_s)

    def jump(self, at: datetime, steady_s: float) -> timedelta:
        """By how much the time of day was set since the last look; zero for less than two seconds."""
        moved = at - timedelta(seconds=steady_s) - self._offset
        if abs(moved) < _JUMP:
            return timedelta()
        self._offset += moved
        return moved


@final
class Clockwork:
    """Calls each task every so many seconds, never twice at the same time, and at once when nudged.

    A task that raises is logged and called again at its next tick. APScheduler plans by the time of day, so
    when that is set, every task is called at once and planned anew, after `on_jump` was told. No task begins
    between the jump and that.
    """

    def __init__(
        self,
        tasks: Mapping[str, tuple[float, Callable[[], object]]],
        on_jump: Callable[[timedelta], object] = lambda jump: None,
        now: Callable[[], datetime] = _now,
    ) -> None:
        self._names = tuple(tasks)
        self._on_jump = on_jump
        self._now = now
        self._watch = ClockWatch(now(), time.monotonic())
        self._looking = threading.Lock()
        self._ending = threading.Event()
        self._watcher = threading.Thread(target=self._keep_looking, name="clock watch", daemon=True)
        one_at_a_time = {"coalesce": True, "max_instances": 1}
        self._scheduler = BackgroundScheduler(timezone=UTC, job_defaults=one_at_a_time)
        for name, (every_s, task) in tasks.items():
            self._scheduler.add_job(
                self._on_time(name, task), "interval", seconds=every_s, id=name, misfire_grace_time=None
            )

    def start(self) -> None:
        """Begin to tick."""
        self._scheduler.start()
        self._watcher.start()

    def _keep_looking(self) -> None:
        while not self._ending.wait(_LOOK_EVERY_S):
            self._look()

    def _on_time(self, name: str, task: Callable[[], object]) -> Callable[[], None]:
        guarded = _guarded(name, task)

        def call() -> None:
            self._look()
            guarded()

        return call

    def _look(self) -> None:
        """If the time of day was set, have the plans moved before anybody acts by the new one."""
        with self._looking:
            jump = self._watch.jump(self._now(), time.monotonic())
            if jump:
                log.warning("clock-was-set", by_s=jump.total_seconds())
                _guarded("jump", lambda: self._on_jump(jump))()
        if jump:
            for name in self._names:
                self.nudge(name)

    def nudge(self, name: str) -> None:
        """Have a task called now rather than at its next tick; harmless while it runs or we stop."""
        try:
            self._scheduler.modify_job(name, next_run_time=datetime.now(UTC))
        except JobLookupError:
            log.debug("nudge-too-late", task=name)

    def stop(self) -> None:
        """Stop ticking, and wait for the tasks under way; nothing if it never ticked."""
        self._ending.set()
        if self._watcher.is_alive():
            self._watcher.join()
        if self._scheduler.running:
            self._scheduler.shutdown(wait=True)


def _guarded(name: str, task: Callable[[], object]) -> Callable[[], None]:
    def call() -> None:
        try:
            task()
        except Exception as error:
            # one hand that is stuck must not stop the clock
            log.error("task-failed", task=name, exc_info=error)

    return call
