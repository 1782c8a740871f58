"""The archive's journal: what has been promised and may not lie on the disk yet, in a file of its own.

An image is answered when it is durable. To make it so in a file of its own takes two syncs, with new
metadata; an entry in a file that is there already takes one write. So the receiver's native lane writes an
entry first, answers, and then writes the image's own file, which is made durable later, many at a time
(`receiver/settling.py`). After a power cut, files that are missing or torn are written again from here,
before anybody looks for them (ADR 21).
"""

import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import Final, Self, final

from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

from dicom_node.archive.durable import DurableWriter, sync_folder
from dicom_node.archive.segment import Promised, Segment, make_segment

FOLDER: Final = "journal"
SEGMENTS: Final = 4
_OTHERS_LEAVE_S = 45.0
"""So long a receiver whose node has died may be finishing what it is storing."""


@final
class Journal:
    """The journal of the archive at `root`. Nobody else has it until it is closed."""

    def __init__(self, root: Path) -> None:
        """Take it, empty where there was none.

        Raises:
            OSError: its folder cannot be made, or somebody keeps it longer than a receiver takes to leave.
        """
        self._root = root
        self._folder = root / FOLDER
        self._writer = DurableWriter(root)
        self._writer.make_folder(self._folder)
        self.segments: list[Segment] = []
        self._lock = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            self._take()
        except OSError:
            os.close(self._lock)
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give it back."""
        for segment in self.segments:
            segment.close()
        self.segments = []
        os.close(self._lock)

    def recover(self) -> int:
        """Put every promised file in its place, and forget the promises; how many had to be written.

        Raises:
            OSError: not all could be written; what could not is not forgotten.
        """
        written = 0
        for file in (file for file in self._all() if file.exists()):
            segment = Segment(file)
            try:
                written += sum(self.restore(one) for one in segment.promised())
                segment.renew()
            finally:
                segment.close()
        return written

    def restore(self, one: Promised, *, anew: bool = False) -> bool:
        """See that a file has its promised bytes, durably; whether it was written. `anew`: it is in any case.

        Raises:
            OSError: as the operating system says.
        """
        file = self._root / one.path
        if not anew and _holds(file, one.content):
            return False
        self._writer.write(file, [one.content])
        return True

    def wanting_bytes(self, segment_bytes: int) -> int:
        """What `prepare` takes of the disk."""
        return sum(segment_bytes for file in self._all() if _size(file) != segment_bytes)

    def prepare(self, segment_bytes: int) -> None:
        """Open `segments` of that size, those of another made anew; call it when nothing is promised.

        Raises:
            OSError: as the operating system says.
        """
        for file in self._all():
            if _size(file) != segment_bytes:
                make_segment(file, segment_bytes)
                sync_folder(self._folder)
            self.segments.append(Segment(file))

    def remove(self) -> None:
        """Give its room back; call it when nothing is promised.

        Raises:
            OSError: as the operating system says.
        """
        for file in self._all():
            file.unlink(missing_ok=True)

    def _all(self) -> list[Path]:
        return [self._folder / f"{number}" for number in range(SEGMENTS)]

    def _take(self) -> None:
        patiently = Retrying(
            retry=retry_if_exception_type(BlockingIOError),
            wait=wait_fixed(0.1),
            stop=stop_after_delay(_OTHERS_LEAVE_S),
            reraise=True,
        )
        patiently(lambda: fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB))


def has_journal(root: Path) -> bool:
    """Whether the archive at `root` ever had one."""
    return (root / FOLDER).is_dir()


def _size(file: Path) -> int:
    return file.stat().st_size if file.exists() else -1


def _holds(file: Path, content: memoryview) -> bool:
    """Whether a file has these bytes; then they are made durable, and its name."""
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        if os.pread(descriptor, len(content) + 1, 0) != content:
            return False
        os.fdatasync(descriptor)
    finally:
        os.close(descriptor)
    sync_folder(file.parent)
    return True
