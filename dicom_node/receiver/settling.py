"""What the journal holds is made durable in files of its own, many at a time, so that its room serves again.

See `archive/journal.py` for what the journal is. This thread waits until a segment of it is full, or for
about a second after its first image; then one sync of the disk makes durable what was promised there.
"""

import os
import platform
import re
import select
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final, final

from dicom_node.archive import Archive
from dicom_node.archive.journal import SEGMENTS, Journal

_PAUSE_S: Final = 1.0
_TELLS_FAILURES: Final = (5, 8)
"""Since then syncfs says what could not be written (syncfs(2))."""


@final
class Settling:
    """The receiver's side of the journal."""

    def __init__(self, root: Path, journal: Journal, segment_bytes: int, say: Callable[[str], None]) -> None:
        """`journal` is that of the archive at `root`, prepared; `say` what goes wrong with it.

        Raises:
            OSError: as the operating system says.
        """
        from dicom_node.receiver import _native

        self._sync_disk = _native.sync_disk
        self._root = root
        self._files = journal
        self._say = say
        self._said = ""
        self._disk = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self._bell = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self.journal: _native.Journal = _native.Journal(self._bell, segment_bytes)
        for segment in journal.segments:
            self.journal.add(segment.descriptor, segment.renew())
        self._telling = threading.Lock()
        self._awaited: dict[str, Callable[[], None]] = {}
        self._distrusted: set[int] = set()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="settling", daemon=True)

    def start(self) -> None:
        """Settle what is promised from now on, in the background."""
        self._thread.start()

    def stop(self) -> None:
        """Settle all that is promised; what cannot be waits for the next start. Nobody promises any more."""
        self._stopping.set()
        self._ring()
        self._thread.join()
        if self.journal.close():
            self._files.close()
            os.close(self._bell)
            os.close(self._disk)

    def when_filed(self, path: str, tell: Callable[[], None]) -> None:
        """A promised file could not be written: it will be, and then `tell` is called, on another thread."""
        with self._telling:
            if (self._root / path).exists():
                tell()
                return
            self._awaited[path] = tell
        self._ring()

    def _ring(self) -> None:
        os.eventfd_write(self._bell, 1)

    def _run(self) -> None:
        while not self._stopping.is_set():
            if not self._is_rung() or self._awaited:
                self.journal.turn()
            if not self._is_settled():
                self._stopping.wait(_PAUSE_S)
        self.journal.turn()
        self._is_settled()

    def _is_rung(self) -> bool:
        """Wait for the bell; False if a second has passed in which it could have rung."""
        rung, _, _ = select.select([self._bell], [], [], _PAUSE_S if self.journal.used else None)
        if rung:
            os.eventfd_read(self._bell)
        return bool(rung)

    def _is_settled(self) -> bool:
        """Have all full segments used again; False if one could not be, and is to be tried again."""
        full = self.journal.full()
        try:
            filed = [number for number, unfiled in full if self._is_filed(number, unfiled)]
            if filed:
                self._sync()
            for number in filed:
                self.journal.renew(number, self._files.segments[number].renew())
        except OSError as error:
            self._complain(error)
            return False
        return len(filed) == len(full)

    def _is_filed(self, number: int, unfiled: bool) -> bool:
        """Whether every file that a segment promises is there, and to be trusted once the disk is synced."""
        try:
            if unfiled or number in self._distrusted:
                self._restore(number)
        except OSError as error:
            self._complain(error)
            return False
        return True

    def _restore(self, number: int) -> None:
        for one in self._files.segments[number].promised():
            self._files.restore(one, anew=number in self._distrusted)
            with self._telling:
                tell = self._awaited.pop(one.path, None)
            if tell is not None:
                tell()
        self._distrusted.discard(number)

    def _sync(self) -> None:
        """Raises OSError if anything could not be written: then no file promised until now is to be trusted.

        What it was is not said, and it is said once.
        """
        try:
            self._sync_disk(self._disk)
        except OSError:
            self.journal.turn()
            self._distrusted = set(range(SEGMENTS))
            raise

    def _complain(self, error: OSError) -> None:
        reason = error.strerror or str(error)
        if reason != self._said:
            self._said = reason
            self._say(f"promised images cannot be made durable outside the journal: {reason}")


def settling_at(archive: Archive, journal_bytes: int, say: Callable[[str], None]) -> Settling | None:
    """The journal of this archive at work, recovered first; None where there shall or can be none.

    There can be none without the native module, where one sync of the disk does not tell of failures, where
    it would take of the disk's reserve, and where promised files cannot be written: then they wait for the
    next start. `say` is told of the latter two.
    """
    try:
        journal = Journal(archive.root)
    except OSError as error:
        say(f"the archive has no journal: {error.strerror or error}")
        return None
    try:
        journal.recover()
        segment_bytes = journal_bytes // SEGMENTS
        if not segment_bytes or not can_settle(archive.root):
            journal.remove()
        elif not (wanting_bytes := journal.wanting_bytes(segment_bytes)) or archive.has_room(wanting_bytes):
            journal.prepare(segment_bytes)
            return Settling(archive.root, journal, segment_bytes, say)
        else:
            say("the archive has no journal: it would take of the disk's reserve")
    except OSError as error:
        say(f"the journal cannot be used, and what it promises waits: {error.strerror or error}")
    journal.close()
    return None


def can_settle(folder: Path) -> bool:
    """Whether the native module is built, and a sync of this disk tells of what it could not write."""
    try:
        from dicom_node.receiver import _native
    except ImportError:  # not built here
        return False
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        return _version(platform.release()) >= _TELLS_FAILURES and _native.vouches(opened)
    except OSError:
        return False
    finally:
        os.close(opened)


def _version(release: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", release)[:2])
