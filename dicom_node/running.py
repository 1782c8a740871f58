"""One node per data directory: an advisory lock that names its holder and dies with it."""

import fcntl
import json
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

from dicom_node.errors import NodeError

_NAME = "node.lock"
_TRIES = 5
_PAUSE_S = 0.1


@dataclass(frozen=True, slots=True)
class Holder:
    """The node that owns a data directory: its process, and the port it listens on (0 before it does)."""

    pid: int
    port: int


class DataDirectoryLock:
    """Held from `acquire` until `release` or the death of the process, whatever kills it."""

    def __init__(self, data_dir: Path) -> None:
        self._path = data_dir / _NAME
        self._file: IO[str] | None = None

    def acquire(self) -> None:
        """Take the directory.

        Raises:
            NodeError: another node runs on it; the message names its process.
        """
        self._path.parent.mkdir(parents=True, exist_ok=True)
        file = self._path.open("a+")
        if not _locked_patiently(file):
            file.close()
            other = holder(self._path.parent)
            who = f"process {other.pid}" if other else "another process"
            raise NodeError(f"{self._path.parent} is in use by {who}: one node per data directory")
        self._file = file
        self.note(port=0)

    def note(self, port: int) -> None:
        """Write down who we are, for `status`."""
        assert self._file is not None, "note() belongs after acquire()"
        self._file.seek(0)
        self._file.truncate()
        self._file.write(json.dumps(asdict(Holder(os.getpid(), port))))
        self._file.flush()

    def release(self) -> None:
        """Give the directory back."""
        if self._file is not None:
            self._file.close()
            self._file = None


def holder(data_dir: Path) -> Holder | None:
    """The node running on `data_dir`, or None."""
    try:
        with (data_dir / _NAME).open("r+") as file:
            if _locked(file):
                return None
            return Holder(**json.loads(file.read()))
    except (FileNotFoundError, NotADirectoryError, json.JSONDecodeError, TypeError):
        return None


def _locked_patiently(file: IO[str]) -> bool:
    """Whoever looks (`holder`) holds the lock for a moment, and must not keep a node from starting."""
    for _ in range(_TRIES):
        if _locked(file):
            return True
        time.sleep(_PAUSE_S)
    return False


def _locked(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
