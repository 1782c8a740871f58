"""Lines to the node. Reception never waits for their reader."""

import json
import logging
import os
import threading
from collections import deque

_LIMIT = 20_000
_LONGEST_MESSAGE = 300
_GATHER_S = 0.05


class Outbox:
    """Writes events as JSON lines to a pipe, from a thread of its own.

    Lines on stored images wait up to a twentieth of a second for others, so that neither this process nor the
    node wakes for each; anything else goes at once, and takes them along.

    Events are hints; the files are the truth. If the reader is slow, what does not fit is dropped and counted
    in one "missed" event, upon which the node compares its index with the archive. "closed" is never dropped.
    """

    def __init__(self, descriptor: int, limit: int = _LIMIT) -> None:
        self._descriptor = descriptor
        self._limit = limit
        self._lines: deque[bytes] = deque()
        self._missed = 0
        self._open = True
        self._hurried = False
        self._changed = threading.Condition()
        self._writer = threading.Thread(target=self._run, name="outbox", daemon=True)
        self._writer.start()

    def put(self, event: str, **facts: object) -> None:
        """Queue one event; returns at once."""
        line = _line(event, facts)
        with self._changed:
            if not self._open:
                return
            if len(self._lines) >= self._limit and event != "closed":
                self._missed += 1
                return
            self._lines.append(line)
            self._hurried = self._hurried or event != "stored"
            if self._hurried or len(self._lines) == 1:  # else the writer is up already
                self._changed.notify()

    def close(self, timeout_s: float) -> None:
        """Write what is queued, for so long at most."""
        with self._changed:
            self._open = False
            self._changed.notify()
        self._writer.join(timeout_s)

    def _run(self) -> None:
        while lines := self._take():
            try:
                _write_all(self._descriptor, lines)
            except BrokenPipeError:
                with self._changed:
                    self._open = False
                    self._lines.clear()
                return

    def _take(self) -> bytes:
        with self._changed:
            self._changed.wait_for(lambda: self._lines or not self._open)
            self._changed.wait_for(lambda: self._hurried or not self._open, _GATHER_S)
            self._hurried = False
            if self._missed:
                # first, so that a "closed" behind it finds every file in the index
                self._lines.appendleft(_line("missed", {"count": self._missed}))
                self._missed = 0
            lines = b"".join(self._lines)
            self._lines.clear()
            return lines


class LogToOutbox(logging.Handler):
    """What pynetdicom and pydicom have to say goes the same way, so that one process writes the log."""

    def __init__(self, outbox: Outbox) -> None:
        super().__init__(logging.WARNING)
        self._outbox = outbox

    def emit(self, record: logging.LogRecord) -> None:
        """Forward the message, without its traceback."""
        message = record.getMessage()[:_LONGEST_MESSAGE]
        self._outbox.put("log", level=record.levelname.lower(), message=message)


def _line(event: str, facts: dict[str, object]) -> bytes:
    return json.dumps({"event": event, **facts}).encode() + b"\n"


def _write_all(descriptor: int, lines: bytes) -> None:
    rest = memoryview(lines)
    while rest:
        rest = rest[os.write(descriptor, rest) :]
