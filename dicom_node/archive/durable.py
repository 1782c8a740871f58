"""Files that are whole and on the disk, or not there at all, in folders that are."""

import errno
import fcntl
import os
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from dicom_node.archive.draft import TEMPORARY, Buffer, Draft, can_be_nameless

_KEPT_IN_MIND = 4096

Written = TypeVar("Written")


class DurableWriter:
    """Writes files so that a name that can be seen belongs to a file that survives a power cut.

    Order of events: write, fdatasync, the name, fsync of the folder; a new folder is synced into its parent
    first. What has a name already when it is written has a temporary one (see `Draft`).
    """

    def __init__(self, root: Path) -> None:
        """Everything lies below `root`."""
        self._root = root
        self._synced: set[Path] = set()
        self._nameless: bool | None = None

    def write(self, path: Path, parts: Iterable[Buffer]) -> None:
        """Write `parts`, one after the other, to `path`, instead of what may be there.

        Raises:
            OSError: nothing is left behind; the reason is the operating system's.
        """
        whole = tuple(parts)
        self.insist(path.parent, lambda: self._write(path, whole))

    def insist(self, folder: Path, write: Callable[[], Written]) -> Written:
        """Do `write`, and once more if `folder` was deleted under its feet, or a file in it swept."""
        try:
            return write()
        except FileNotFoundError:
            self._synced.discard(folder)
            return write()

    def draft(self, folder: Path) -> Draft:
        """A file in `folder`, to be written and then named; `insist` on it, for the folder may be deleted.

        Raises:
            OSError: folder or file cannot be made.
        """
        self.make_folder(folder)
        if self._nameless is None:
            self._nameless = can_be_nameless(folder)
        return Draft(folder, nameless=self._nameless)

    def is_ready(self, folder: Path) -> bool:
        """Whether `folder` was made durable before, and drafts in it are nameless."""
        return bool(self._nameless) and folder in self._synced

    def _write(self, path: Path, parts: tuple[Buffer, ...]) -> None:
        self.make_folder(path.parent)
        with Draft(path.parent, nameless=False) as draft:
            draft.write(parts)
            draft.replace(path.name)

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
    """Whether it is there and stays: another thread may have named it a moment ago, and be about to sync."""
    if not file.exists():
        return False
    sync_folder(file.parent)
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


def remove_if_older(file: Path, than: datetime) -> bool:
    """Remove a file that has not been written since; whether it was."""
    try:
        if file.stat().st_mtime > than.timestamp():
            return False
        file.unlink()
    except FileNotFoundError:
        return False
    return True


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
