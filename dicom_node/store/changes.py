"""Has anybody written to the database? Asked so cheaply that it can be asked all the time."""

import sqlite3
import threading
from typing import final

from sqlalchemy import Engine


@final
class Changes:
    """A number that changes whenever somebody, in whichever process, has committed something. Thread-safe.

    SQLite counts the commits of all connections but the asking one (`PRAGMA data_version`), so the connection
    here does nothing else. Of another database, and of one that does not answer, nothing is known.
    """

    def __init__(self, engine: Engine) -> None:
        self._path = engine.url.database if engine.dialect.name == "sqlite" else None
        self._lock = threading.Lock()
        self._asking: sqlite3.Connection | None = None

    def number(self) -> int | None:
        """The number, to be compared with an earlier one; None if there may have been a change."""
        if self._path is None:
            return None
        with self._lock:
            try:
                if self._asking is None:
                    self._asking = sqlite3.connect(self._path, timeout=0, check_same_thread=False)
                return int(self._asking.execute("PRAGMA data_version").fetchone()[0])
            except sqlite3.Error:
                return None

    def close(self) -> None:
        """Give the connection back."""
        with self._lock:
            if self._asking is not None:
                self._asking.close()
                self._asking = None
