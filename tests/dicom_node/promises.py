"""The journal of an archive as the receiver has it, without the thread that settles it."""

import os
from pathlib import Path
from typing import Any

from dicom_node.archive.journal import Journal

try:
    from dicom_node.receiver import _native
except ImportError:  # not built here
    _native = None  # type: ignore[assignment]

SEGMENT_BYTES = 1 << 19


class Promises:
    """What lanes promise in the archive at `root`; `settle` is to forget it, in the place of that thread."""

    def __init__(self, root: Path, segment_bytes: int = SEGMENT_BYTES, module: Any = None) -> None:
        """`module`: another build of the native part than the installed one."""
        self.files = Journal(root)
        self.files.prepare(segment_bytes)
        self.bell = os.eventfd(0, os.EFD_NONBLOCK)
        self._open = True
        self.journal: _native.Journal = (module or _native).Journal(self.bell, segment_bytes)
        for segment in self.files.segments:
            self.journal.add(segment.descriptor, segment.renew())

    def close(self) -> None:
        if self._open:
            self._open = False
            assert self.journal.close()
            self.files.close()
            os.close(self.bell)

    def held(self) -> dict[str, bytes]:
        """What is promised: paths and contents."""
        found = (one for segment in self.files.segments for one in segment.promised())
        return {one.path: bytes(one.content) for one in found}

    def has_rung(self) -> bool:
        """Whether the thread would have been woken since this was asked last."""
        try:
            return os.eventfd_read(self.bell) > 0
        except BlockingIOError:
            return False

    def settle(self) -> list[int]:
        """The segments that were full, and are used again."""
        full = [number for number, _ in self.journal.full()]
        for number in full:
            self.journal.renew(number, self.files.segments[number].renew())
        return full
