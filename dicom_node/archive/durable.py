"""Files that are whole and on the disk, or not there at all."""

import errno
import fcntl
import itertools
import os
from collections.abc import Iterable
from pathlib import Path

TEMPORARY = ".tmp-"
_numbers = itertools.count()
_KEPT_IN_MIND = 4096

Buffer = bytes | memoryview


class DurableWriter:
    """Writes files so that a name that can be seen belongs to a file that survives a power cut.

    Order of events: temporary name in the same folder, write, fdatasync, rename, fsync of the folder; a new
    folder is synced into its parent first. A temporary file is locked while its writer lives, so that
    `remove_leftovers` can tell a dead writer's file from a living one's, across restarts and containers.
    """

    def __init__(self, root: Path) -> None:
        """Everything lies below `root`."""
        self._root = root
        self._synced: set[Path] = set()

    def write(self, path: Path, parts: Iterable[Buffer]) -> None:
        """Write `parts`, one after the other, to `path`.

        Raises:
            OSError: nothing is left behind; the reason is the operating system's.
        """
        whole = tuple(parts)
        try:
            self._write(path, whole)
        except FileNotFoundError:
            # the folder was deleted (or our unlocked temporary swept) under our feet: once more
            self._synced.discard(path.parent)
            self._write(path, whole)

    def _write(self, path: Path, parts: tuple[Buffer, ...]) -> None:
        self.make_folder(path.parent)
        temporary, descriptor = _open_temporary(path.parent)
        try:
            try:
                _write_all(descriptor, parts)
                os.fdatasync(descriptor)
                temporary.rename(path)
            finally:
                os.close(descriptor)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise
        sync_folder(path.parent)

    def make_folder(self, folder: Path) -> None:
        """Create `folder` and those above it up to the root, each synced into its parent before use."""
        if folder in self._synced:
            return
        if folder == self._root:
            folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        else:
            self.make_folder(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)
        # even if it was there already: whoever made it may not have come as far as syncing it
        sync_folder(folder.parent)
        if len(self._synced) >= _KEPT_IN_MIND:
            self._synced.clear()
        self._synced.add(folder)


def sync_folder(folder: Path) -> None:
    """Make the names in `folder` durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def is_durable(file: Path) -> bool:
    """Whether it is there and stays: another thread may have renamed it a moment ago and not have synced yet.

    Looked at twice: in between retention may have removed it, and then it is to be written again.
    """
    if not file.exists():
        return False
    try:
        sync_folder(file.parent)
    except FileNotFoundError:
        return False
    return file.exists()


def remove_if_empty(folder: Path) -> None:
    """Remove a folder without files, its names durable first; one with files stays."""
    if not folder.exists():
        return
    sync_folder(folder)
    try:
        folder.rmdir()
    except OSError as error:
        if error.errno != errno.ENOTEMPTY:
            raise


def remove_leftovers(folder: Path) -> int:
    """Remove the temporary files in `folder` whose writers are dead; returns how many."""
    return sum(_remove_if_dead(path) for path in folder.glob(f"{TEMPORARY}*"))


def sweep(root: Path) -> int:
    """Remove such files from every folder below `root`; returns how many."""
    return sum(_remove_if_dead(path) for path in root.rglob(f"{TEMPORARY}*"))


def _remove_if_dead(path: Path) -> bool:
    try:
        descriptor = os.open(path, os.O_WRONLY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        path.unlink(missing_ok=True)
    except BlockingIOError:
        return False
    finally:
        os.close(descriptor)
    return True


def _open_temporary(folder: Path) -> tuple[Path, int]:
    while True:
        path = folder / f"{TEMPORARY}{os.getpid()}-{next(_numbers)}"
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            continue
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        return path, descriptor


def _write_all(descriptor: int, parts: Iterable[Buffer]) -> None:
    rest = [memoryview(part) for part in parts]
    while rest:
        written = os.writev(descriptor, rest)
        while rest and written >= len(rest[0]):
            written -= len(rest.pop(0))
        if rest:
            rest[0] = rest[0][written:]
