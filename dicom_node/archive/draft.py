"""A file that is written before it has its name: there for good in the end, or not at all."""

import contextlib
import fcntl
import itertools
import os
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Final, Self, final

TEMPORARY: Final = ".tmp-"

Buffer = bytes | memoryview

_numbers = itertools.count()


class NameNotDurable(OSError):
    """The name is there, its folder could not be synced; to try again proves nothing: Linux tells once."""


@final
class Draft:
    """One file in `folder`, for as long as a `with` block runs; without a name at its end, it is gone.

    `nameless`: it has no name at all until it gets its own (O_TMPFILE; see `can_be_nameless`), so that even a
    dead writer leaves nothing behind, and one name less is synced. Else it has a temporary one, and is locked
    while its writer lives: that tells a dead writer's file from a living one's, across containers, too.
    """

    def __init__(self, folder: Path, *, nameless: bool) -> None:
        """Open it.

        Raises:
            OSError: as the operating system says; FileNotFoundError if there is no such folder.
        """
        self._temporary = ""
        self._folder = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            self._file = self._without_name() if nameless else self._with_temporary_name()
        except OSError:
            os.close(self._folder)
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._temporary:
            self._remove(self._temporary)
        os.close(self._file)
        os.close(self._folder)

    def write(self, parts: Iterable[Buffer]) -> None:
        """Write `parts` one after the other, and let the disk begin with them.

        Raises:
            OSError: as the operating system says.
        """
        rest = [memoryview(part) for part in parts]
        while rest:
            written = os.writev(self._file, rest)
            while rest and written >= len(rest[0]):
                written -= len(rest.pop(0))
            if rest:
                rest[0] = rest[0][written:]
        # Linux takes it as the order to begin; what is not written yet stays in memory, for the index to read
        os.posix_fadvise(self._file, 0, 0, os.POSIX_FADV_DONTNEED)

    def become(self, name: str) -> bool:
        """Give it its name: both, its bytes and the name, are durable then.

        False if there is such a file; then that is made durable, whose writer may not have come so far.

        Raises:
            NameNotDurable: the name is there, and may be gone after a power cut.
            OSError: as the operating system says; it has no name.
        """
        while not self._is_taken(name):
            os.fdatasync(self._file)
            with contextlib.suppress(FileExistsError):
                self._name(name)
                self._sync_name()
                return True
        return False

    def replace(self, name: str) -> None:
        """Likewise, but instead of whatever has this name; not for nameless ones.

        Raises:
            OSError: as the operating system says.
        """
        os.fdatasync(self._file)
        self._rename(name)
        os.fsync(self._folder)

    def try_name(self) -> None:
        """Give it a name, and take it away again.

        Raises:
            OSError: that is not possible here.
        """
        name = _temporary_name()
        self._name(name)
        self._remove(name)

    def _is_taken(self, name: str) -> bool:
        """Looked at twice: in between retention may have removed it, and then it is to be written again."""
        if not self._has(name):
            return False
        self._sync_name()
        return self._has(name)

    def _sync_name(self) -> None:
        try:
            os.fsync(self._folder)
        except OSError as error:
            raise NameNotDurable(error.errno, error.strerror) from error

    def _has(self, name: str) -> bool:
        try:
            os.stat(name, dir_fd=self._folder, follow_symlinks=False)
        except FileNotFoundError:
            return False
        return True

    def _name(self, name: str) -> None:
        if self._temporary:
            self._rename(name)
        else:
            source = f"/proc/self/fd/{self._file}"
            os.link(source, name, dst_dir_fd=self._folder, follow_symlinks=True)

    def _rename(self, name: str) -> None:
        os.rename(self._temporary, name, src_dir_fd=self._folder, dst_dir_fd=self._folder)
        self._temporary = ""

    def _remove(self, name: str) -> None:
        with contextlib.suppress(OSError):
            os.unlink(name, dir_fd=self._folder)

    def _without_name(self) -> int:
        return os.open(".", os.O_WRONLY | os.O_TMPFILE, 0o600, dir_fd=self._folder)

    def _with_temporary_name(self) -> int:
        while True:
            name = _temporary_name()
            with contextlib.suppress(FileExistsError):
                file = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600, dir_fd=self._folder)
                fcntl.flock(file, fcntl.LOCK_EX)
                self._temporary = name
                return file


def can_be_nameless(folder: Path) -> bool:
    """Whether a file there may wait for its name: not everywhere, and not without /proc, so it is tried."""
    try:
        with Draft(folder, nameless=True) as draft:
            draft.try_name()
    except OSError:
        return False
    return True


def _temporary_name() -> str:
    return f"{TEMPORARY}{os.getpid()}-{next(_numbers)}"
