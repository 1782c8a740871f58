"""Where instances lie: one file each, written as they came, found again by hashes alone."""

import contextlib
import errno
import hashlib
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path

from dicom_node.archive.draft import Buffer, NameNotDurable
from dicom_node.archive.durable import (
    DurableWriter,
    is_durable,
    remove_if_empty,
    remove_if_older,
    remove_leftovers,
)
from dicom_node.archive.layout import file_path, is_ours, study_folder
from dicom_node.archive.note import Note
from dicom_node.archive.part10 import Origin, part10_head
from dicom_node.errors import ArchiveFull, ArchiveUnwritable

_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT})
_MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Arrival:
    """One instance as a peer sent it: `dataset` is encoded in `transfer_syntax_uid`, without file meta."""

    study_instance_uid: str
    sop_instance_uid: str
    sop_class_uid: str
    transfer_syntax_uid: str
    source_ae_title: str
    dataset: Buffer


@dataclass(frozen=True, slots=True)
class Kept:
    """Where an arrival lies: `path` is relative to the archive and made of hashes; `new` if written now."""

    path: str
    digest: str
    new: bool


class Archive:
    """A folder of instances. What `keep` returned survives a power cut; nothing else is promised."""

    def __init__(self, root: Path, reserve_bytes: int) -> None:
        """`reserve_bytes` of the disk stay free."""
        self.root = root
        self._reserve_bytes = reserve_bytes
        self._writer = DurableWriter(root)

    def keep(self, arrival: Arrival) -> Kept:
        """Write an instance as it came, behind a file meta of our own. The same bytes are kept once.

        Raises:
            ArchiveFull: the disk is below its reserve, or became full on the way.
            ArchiveUnwritable: the folder cannot be written.
        """
        origin = Origin(
            arrival.sop_class_uid,
            arrival.sop_instance_uid,
            arrival.transfer_syntax_uid,
            arrival.source_ae_title,
        )
        return self._put(arrival, ".dcm", (part10_head(origin), arrival.dataset))

    def keep_note(self, arrival: Arrival, reason: str) -> Kept:
        """Write down that an instance came and was not kept, and why. As durable as `keep`, same errors."""
        note = Note(
            arrival.study_instance_uid,
            arrival.sop_instance_uid,
            arrival.sop_class_uid,
            arrival.transfer_syntax_uid,
            arrival.source_ae_title,
            _digest(arrival),
            len(arrival.dataset),
            reason,
        )
        return self._put(arrival, ".note", (note.as_json().encode(),))

    def open(self, path: str) -> Path:
        """The file behind a `Kept.path`.

        Raises:
            ValueError: `path` is not one of ours.
        """
        if not is_ours(path):
            raise ValueError(f"{path!r} is not a path of the archive")
        return self.root / path

    def landing(self, study_instance_uid: str) -> Path | None:
        """The study's folder, if it is there for good and files in it may wait for their names."""
        home = _home(self.root, study_instance_uid)
        return home if self._writer.is_ready(home) else None

    def paths(self) -> Iterator[str]:
        """Every finished file, instances (`.dcm`) and notes (`.note`), in no order worth relying on."""
        for study in self._studies():
            yield from self.paths_in(f"{study.parent.name}/{study.name}")

    def folders(self) -> dict[str, int]:
        """Every study's folder, relative to the root, with its time of modification in nanoseconds."""
        return {
            f"{study.parent.name}/{study.name}": found.st_mtime_ns
            for study in self._studies()
            if (found := _stat(study)) is not None
        }

    def paths_in(self, folder: str) -> Iterator[str]:
        """The finished files of one of `folders`, in no order worth relying on; none if it is gone."""
        paths = (f"{folder}/{name}" for name in _names(self.root / folder))
        return (path for path in paths if is_ours(path))

    def study_paths(self, study_instance_uid: str) -> tuple[str, ...]:
        """The finished files of one study, sorted."""
        return tuple(sorted(self.paths_in(study_folder(study_instance_uid))))

    def remove(self, decided: Iterable[tuple[str, datetime]]) -> int:
        """Delete files, each if it is not younger than the decision that it shall go; returns how many.

        What arrives meanwhile, under other names or under the same again, stays.

        Raises:
            ArchiveUnwritable: a file could not be removed.
        """
        removed, folders = 0, set[Path]()
        try:
            for path, at in decided:
                file = self.open(path)
                folders.add(file.parent)
                removed += remove_if_older(file, at)
            for folder in folders:
                remove_if_empty(folder)
        except OSError as error:
            raise _explained(error) from error
        return removed

    def size_bytes(self, paths: Iterable[str]) -> int:
        """What these files take; one that is gone takes nothing."""
        return sum(_size(self.open(path)) for path in paths)

    def total_bytes(self) -> int:
        """What all finished files take."""
        return self.size_bytes(self.paths())

    def sweep(self, folders: Iterable[str]) -> int:
        """Remove the temporary files that dead writers left in these folders; returns how many."""
        return sum(remove_leftovers(self.root / folder) for folder in folders)

    def free_bytes(self) -> int:
        """Space left for us on the archive's disk."""
        disk = os.statvfs(self.root)
        return disk.f_bavail * disk.f_frsize

    def has_room(self, wanted_bytes: int) -> bool:
        """Whether so much more leaves the disk's reserve alone.

        Raises:
            OSError: the archive's folder is not there and cannot be made.
        """
        self._writer.make_folder(self.root)
        return self.free_bytes() - wanted_bytes >= self._reserve_bytes

    def _put(self, arrival: Arrival, suffix: str, parts: tuple[Buffer, ...]) -> Kept:
        home = _home(self.root, arrival.study_instance_uid)
        try:
            self._check_room(sum(len(part) for part in parts))
            return self._writer.insist(home, lambda: self._written(home, arrival, suffix, parts))
        except NameNotDurable as error:
            raise _explained(error) from error
        except (OSError, ArchiveFull) as error:
            kept = self._kept_before(arrival, suffix)
            if kept is None:
                raise _explained(error) from error
            return kept

    def _written(self, home: Path, arrival: Arrival, suffix: str, parts: tuple[Buffer, ...]) -> Kept:
        with self._writer.draft(home) as draft:
            draft.write(parts)
            digest = _digest(arrival)  # while the disk is at it
            path = _path(arrival, digest, suffix)
            return Kept(path, digest, new=draft.become(path.rpartition("/")[2]))

    def _kept_before(self, arrival: Arrival, suffix: str) -> Kept | None:
        """What is there already needs no room, and no disk that can be written."""
        digest = _digest(arrival)
        path = _path(arrival, digest, suffix)
        with contextlib.suppress(OSError):
            if is_durable(self.root / path):
                return Kept(path, digest, new=False)
        return None

    def _check_room(self, wanted_bytes: int) -> None:
        if not self.has_room(wanted_bytes):
            free, reserve = self.free_bytes(), self._reserve_bytes
            raise ArchiveFull(f"disk: {free // _MEGABYTE} MB free, reserve is {reserve // _MEGABYTE} MB")

    def _studies(self) -> Iterator[Path]:
        for shelf in sorted(_names(self.root)):
            if re.fullmatch(r"[0-9a-f]{2}", shelf):
                yield from (self.root / shelf / study for study in _names(self.root / shelf))


def _names(folder: Path) -> list[str]:
    try:
        return [entry.name for entry in os.scandir(folder)]
    except (FileNotFoundError, NotADirectoryError):
        return []


def _size(file: Path) -> int:
    found = _stat(file)
    return 0 if found is None else found.st_size


def _stat(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except FileNotFoundError:
        return None


def _digest(arrival: Arrival) -> str:
    return hashlib.sha256(arrival.dataset).hexdigest()


def _path(arrival: Arrival, digest: str, suffix: str) -> str:
    return file_path(arrival.study_instance_uid, arrival.sop_instance_uid, digest, suffix)


@lru_cache(maxsize=64)
def _home(root: Path, study_instance_uid: str) -> Path:
    return root / study_folder(study_instance_uid)


def _explained(error: OSError | ArchiveFull) -> ArchiveFull | ArchiveUnwritable:
    if isinstance(error, ArchiveFull):
        return ArchiveFull(str(error))
    if error.errno in _NO_ROOM:
        return ArchiveFull("disk: no space left while writing")
    return ArchiveUnwritable(f"archive cannot be written: {error.strerror}")
