"""A child process that is asked by the line and answers by the line."""

import contextlib
import queue
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO

from dicom_node.errors import WorkerDied, WorkerOverdue, WorkerStarved

EVENT = '{"event":"'
"""How a line begins that is news, not an answer."""


class WorkerProcess:
    """One process, its answers in order, its news as they come.

    It leads a process group of its own, so that Ctrl-C in our terminal reaches us alone. Not a session: where
    Linux shares the cores out by session (autogroup, sched(7)), its niceness would count for nothing beside
    the processes that receive.
    """

    def __init__(self, command: list[str], log: Path | None, on_event: Callable[[str], None]) -> None:
        stderr: IO[bytes] | None = log.open("ab") if log else None
        try:
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter, our own module
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                encoding="utf-8",
                process_group=0,
            )
        finally:
            if stderr:
                stderr.close()
        self._on_event = on_event
        self._stopping = False
        self._answers: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._read, name="worker answers", daemon=True)
        self._writer = threading.Thread(name="worker questions")
        self._reader.start()

    @property
    def alive(self) -> bool:
        """Whether it can still be asked."""
        return self._process.poll() is None

    @property
    def pid(self) -> int:
        """Its process number."""
        return self._process.pid

    def ask(self, line: str) -> None:
        """Send one line. Never blocks; a process that cannot read it shows in `hear`."""
        self._writer = threading.Thread(
            target=self._write, args=(line,), name="worker questions", daemon=True
        )
        self._writer.start()

    def hear(self, until: float) -> str:
        """The next answer; ends the process when `until` (monotonic seconds) has passed.

        Raises:
            WorkerDied: there will be no answer, and why; WorkerOverdue if `until` is why, WorkerStarved if
                it ended as processes do that find no memory.
        """
        try:
            answer = self._answers.get(timeout=max(0.0, until - time.monotonic()))
        except queue.Empty:
            self.stop(grace_s=0.0)
            raise WorkerOverdue("the worker gave no answer before the deadline, and was ended") from None
        if not answer:
            raise self._end()
        return answer

    def stop(self, grace_s: float) -> None:
        """Close its input, which asks it to leave; end it if it stays longer than `grace_s`."""
        self._stopping = True
        if grace_s == 0.0 or self._writer.is_alive():
            self._process.kill()
        else:
            self._close_input()
        try:
            self._process.wait(grace_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._close_input()
        self._reader.join()

    def _close_input(self) -> None:
        assert self._process.stdin
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()

    def _write(self, line: str) -> None:
        assert self._process.stdin
        with contextlib.suppress(BrokenPipeError, ValueError):
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()

    def _read(self) -> None:
        assert self._process.stdout
        with self._process.stdout as stdout:
            for line in stdout:
                if line.startswith(EVENT):
                    self._on_event(line.removeprefix(EVENT).rstrip('"}\n'))
                else:
                    self._answers.put(line)
        self._answers.put("")

    def _end(self) -> WorkerDied:
        code = self._process.wait()
        if self._stopping:
            return WorkerDied("the worker was ended because the node is stopping")
        if code >= 0:
            return WorkerDied(
                f"the worker ended by itself with exit code {code} and without an answer; its log says why"
            )
        name = signal.Signals(-code).name
        if name in _STARVED:
            return WorkerStarved(f"the worker was ended by {name} without an answer; {_STARVED[name]}")
        return WorkerDied(f"the worker was ended by {name} without an answer")


_STARVED = {
    "SIGKILL": "the machine has probably run out of memory",
    "SIGABRT": "a library gave up, probably for want of memory",
}
