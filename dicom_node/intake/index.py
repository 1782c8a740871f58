"""Rows for files. The archive is the truth; the database is brought in line with it, at every start."""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple, final

from dicom_node.archive import Archive
from dicom_node.archive.layout import study_folder
from dicom_node.archive.note import read_note
from dicom_node.errors import StoreUnavailable
from dicom_node.intake.on_disk import plain_headers, read_once
from dicom_node.log import logger
from dicom_node.store import Store
from dicom_node.store.records import NewInstance
from pipeline import InstanceFacts, PlainHeader, UnreadableInstance, read_facts, read_plain

log = logger(__name__)

BATCH = 200
"""Files filed in one transaction."""

_SETTLED_NS = 3_000_000_000
"""A folder changed so recently may change again without its time of modification showing it."""


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What a rebuild changed: files that got a row, rows whose file is gone, unfinished files removed."""

    taken: int
    missing: int
    swept: int = 0


@dataclass(frozen=True, slots=True)
class Told:
    """What the receiver says of a file: its study, and the SHA-256 of the data set that it has just written.

    "" is what it does not say.
    """

    study_instance_uid: str = ""
    digest: str = ""


_NOTHING = Told()


class _File(NamedTuple):
    """A file that is to have a row, and what is told of it."""

    path: str
    file: Path
    told: Told


@final
class Index:
    """Brings rows in line with files."""

    def __init__(self, archive: Archive, store: Store) -> None:
        self._archive = archive
        self._store = store

    def take(
        self, paths: Iterable[str], at: datetime, told: Mapping[str, Told] | None = None
    ) -> tuple[str, ...]:
        """File these paths in one transaction; returns the studies opened or reopened.

        A file that cannot be read gets a row with the reason, under the study that the receiver told. Bytes
        whose digest it told are not hashed once more: they would come from memory, not from the disk.

        Raises:
            StoreUnavailable: nothing was written; the same call may be made again.
        """
        known = told or {}
        files = [_File(path, self._archive.open(path), known.get(path, _NOTHING)) for path in paths]
        headers = plain_headers([one.file if one.told.digest else None for one in files])
        rows = (_read(one, header) for one, header in zip(files, headers, strict=True))
        read = [row for row in rows if row is not None]
        batch = self._adopt(read)
        try:
            return self._store.add_instances(batch, at)
        except StoreUnavailable:
            raise
        except Exception as error:
            log.error("batch-not-indexed", files=len(batch), exc_info=error)
            return tuple({study for one in batch for study in self._add_alone(one, at)})

    def _adopt(self, batch: Sequence[NewInstance]) -> list[NewInstance]:
        """Give what nobody could read the study of the files it lies with: a folder holds one study."""
        homes = {_folder(one): one.study_instance_uid for one in batch if one.study_instance_uid}
        return [
            one
            if one.study_instance_uid
            else replace(
                one,
                study_instance_uid=homes.get(_folder(one)) or self._store.study_of_folder(_folder(one)),
            )
            for one in batch
        ]

    def _add_alone(self, one: NewInstance, at: datetime) -> tuple[str, ...]:
        """One strange header must not keep the others of its batch out."""
        try:
            return self._store.add_instances([one], at)
        except StoreUnavailable:
            raise
        except Exception as error:
            log.error("file-not-indexed", path=one.path, exc_info=error)
            reason = f"the file's header cannot be filed ({type(error).__name__})"
            return self._store.add_instances(
                [NewInstance(one.path, "", one.received_at, unusable=reason)], at
            )

    def rebuild(self, at: datetime) -> Rebuilt:
        """Compare both ways: file what has no row, mark the rows whose file is gone.

        Raises:
            StoreUnavailable: what was filed until then stays filed.
        """
        return self._align(set(self._archive.paths()), self._store.known_paths(), at)

    def catch_up(self, at: datetime) -> Rebuilt:
        """`rebuild`, of the folders alone in which a name came or went since they were last found in line.

        Also removes there what dead writers left unfinished.

        Raises:
            StoreUnavailable: as `rebuild`; the folders are looked at again next time.
        """
        folders = self._store.folders
        settled_ns = time.time_ns() - _SETTLED_NS
        moved = self._moved()
        swept = self._archive.sweep(moved)
        files = {path for folder in moved for path in self._archive.paths_in(folder)}
        done = self._align(files, folders.known_paths(moved), at)
        folders.note({folder: when for folder, when in moved.items() if when < settled_ns})
        return replace(done, swept=swept)

    def _moved(self) -> dict[str, int]:
        """The folders that are not as they were noted, with their times; 0 for one that is not there."""
        folders = self._store.folders
        ever = folders.of_no_study().union(map(study_folder, folders.studies()))
        now = {**dict.fromkeys(ever, 0), **self._archive.folders()}
        noted = folders.noted()
        return {folder: when for folder, when in now.items() if noted.get(folder) != when}

    def _align(self, files: set[str], rows: set[str], at: datetime) -> Rebuilt:
        new = sorted(files - rows)
        # looked at again: a file may have come, and got its row, between the two lists
        gone = {path for path in rows - files if not self._archive.open(path).exists()}
        for start in range(0, len(new), BATCH):
            self.take(new[start : start + BATCH], at)
        if gone:
            self._store.mark_missing(gone, at)
        if new or gone:
            log.info("index-rebuilt", taken=len(new), missing=len(gone))
        return Rebuilt(len(new), len(gone))


def _read(one: _File, plain: PlainHeader | None) -> NewInstance | None:
    """The row of a file; None if the file went away before it was read."""
    path, file, told = one
    try:
        received_at = datetime.fromtimestamp(plain.modified_s if plain else file.stat().st_mtime, UTC)
        return _note(file, path, received_at) if path.endswith(".note") else _image(one, plain, received_at)
    except FileNotFoundError:
        return None
    except UnreadableInstance as error:
        reason = str(error)
    except Exception as error:  # a stranger's file must not keep the others waiting
        log.warning("file-not-indexed", path=path, exc_info=error)
        reason = f"the file cannot be read ({type(error).__name__})"
    return NewInstance(path, "", received_at, study_instance_uid=told.study_instance_uid, unusable=reason)


def _folder(one: NewInstance) -> str:
    return one.path.rpartition("/")[0]


def _image(one: _File, plain: PlainHeader | None, received_at: datetime) -> NewInstance:
    path, file, told = one
    if told.digest:
        return _row(read_facts(file, plain), path, told.digest, received_at)
    beginning, digest = read_once(file)
    facts = read_facts(file, read_plain(file, beginning))
    if digest[:16] not in path:
        raise UnreadableInstance("the file's bytes are not those that were received")
    return _row(facts, path, digest, received_at)


def _row(facts: InstanceFacts, path: str, digest: str, received_at: datetime) -> NewInstance:
    return NewInstance(
        path,
        digest,
        received_at,
        study_instance_uid=facts.study_instance_uid,
        series_instance_uid=facts.series_instance_uid,
        sop_instance_uid=facts.sop_instance_uid,
        sop_class_uid=facts.sop_class_uid,
        transfer_syntax_uid=facts.transfer_syntax_uid,
        source_ae_title=facts.source_ae_title,
        patient_id=facts.patient_id,
        modality=facts.modality,
        series_number=facts.series_number,
        series_description=facts.series_description,
        pixel_offset=facts.pixel_offset,
        pixel_length=facts.pixel_length,
        facts=facts.as_json(),
        unusable=facts.unusable,
    )


def _note(file: Path, path: str, received_at: datetime) -> NewInstance:
    note = read_note(file)
    return NewInstance(
        path,
        note.digest,
        received_at,
        study_instance_uid=note.study_instance_uid,
        sop_instance_uid=note.sop_instance_uid,
        sop_class_uid=note.sop_class_uid,
        transfer_syntax_uid=note.transfer_syntax_uid,
        source_ae_title=note.source_ae_title,
        kept=False,
        unusable=note.reason,
    )
