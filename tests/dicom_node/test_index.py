"""Rows follow files, whatever the files are, and whatever became of the database."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from pydicom.filereader import read_file_meta_info
from structlog.testing import capture_logs

from dicom_node.archive import Archive, Arrival
from dicom_node.intake.index import Index, Rebuilt, Told
from dicom_node.jobs import State
from dicom_node.keeping.backup import back_up
from dicom_node.migrations import migrate
from dicom_node.store import Store
from pipeline import read_facts
from tests.dicom_node.rows import START, after, state

pytestmark = pytest.mark.data


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive(tmp_path / "archive", reserve_bytes=0)


@pytest.fixture
def index(archive: Archive, store: Store) -> Index:
    return Index(archive, store)


@pytest.fixture
def files(sunnybrook: Callable[[str], list[Path]]) -> list[Path]:
    return sunnybrook("SC-HF-I-4")[:6]


@pytest.fixture
def study(files: list[Path]) -> str:
    return read_facts(files[0]).study_instance_uid


def arrival(file: Path, extra: bytes = b"") -> Arrival:
    """What a sender of this file would send."""
    facts, meta = read_facts(file), read_file_meta_info(file)
    encoded = file.read_bytes()[132 + 12 + meta.FileMetaInformationGroupLength :]
    return Arrival(
        facts.study_instance_uid,
        facts.sop_instance_uid,
        facts.sop_class_uid,
        facts.transfer_syntax_uid,
        "SCANNER1",
        encoded + extra,
    )


def keep(archive: Archive, files: list[Path]) -> list[str]:
    return [archive.keep(arrival(file)).path for file in files]


def test_a_row_holds_what_completeness_and_assembly_need(
    archive: Archive, index: Index, store: Store, files: list[Path], study: str
) -> None:
    kept = archive.keep(arrival(files[0]))
    assert index.take([kept.path], START) == (study,)
    [facts] = store.facts(study)
    assert (facts.source_ae_title, len(facts.frames)) == ("SCANNER1", 1)
    assert facts.pixel_length == 256 * 256 * 2
    assert archive.open(kept.path).stat().st_size == facts.pixel_offset + facts.pixel_length
    assert store.digests(study) == {facts.sop_instance_uid: kept.digest}
    [series] = store.series(study)
    assert (series.modality, series.images, series.unusable) == ("MR", 1, ())


def test_files_without_rows_are_taken_at_the_start(
    archive: Archive, index: Index, store: Store, files: list[Path], study: str
) -> None:
    index.take(keep(archive, files[:2]), START)
    keep(archive, files)
    assert index.rebuild(after(1)) == Rebuilt(taken=4, missing=0)
    assert index.rebuild(after(2)) == Rebuilt(taken=0, missing=0)
    assert len(store.facts(study)) == 6


def test_a_lost_database_is_rebuilt_with_the_newer_version_current(
    archive: Archive, files: list[Path], study: str, tmp_path: Path
) -> None:
    keep(archive, files)
    newer = archive.keep(arrival(files[0], extra=b"\xfc\xff\xfc\xffOB\x00\x00\x02\x00\x00\x00ab"))
    url = f"sqlite:///{tmp_path / 'other.db'}"
    migrate(url)
    store = Store(url)
    Index(archive, store).rebuild(START)
    assert len(store.facts(study)) == 6
    assert newer.path in store.paths(study)
    store.close()


def test_rows_without_files_are_marked_missing(
    archive: Archive, index: Index, store: Store, files: list[Path], study: str
) -> None:
    paths = keep(archive, files)
    index.take(paths, START)
    archive.open(paths[3]).unlink()
    assert index.rebuild(after(1)) == Rebuilt(taken=0, missing=1)
    assert len(store.paths(study)) == 5
    assert store.events(study)[-1].reason == "1 file(s) of the study are missing from the archive"


def test_a_file_cut_short_has_its_reason_under_its_study(
    archive: Archive, index: Index, store: Store, files: list[Path], study: str
) -> None:
    paths = keep(archive, files[:2])
    broken = archive.open(paths[1])
    broken.write_bytes(broken.read_bytes()[:700])
    index.take(paths[:1], START)
    index.take(paths[1:], START)
    assert len(store.facts(study)) == 1
    [reason] = store.unusable(study)
    assert reason
    assert state(store, study) is State.RECEIVING


def test_a_file_of_garbage_is_found_under_the_study_the_receiver_named(
    archive: Archive, index: Index, store: Store, files: list[Path]
) -> None:
    [path] = keep(archive, files[:1])
    archive.open(path).write_bytes(b"garbage" * 99)
    assert index.take([path], START, {path: Told("1.2.3")}) == ("1.2.3",)
    assert state(store, "1.2.3") is State.RECEIVING
    assert len(store.unusable("1.2.3")) == 1


def test_bytes_that_changed_on_the_disk_are_not_analysed(
    archive: Archive, index: Index, store: Store, files: list[Path], study: str
) -> None:
    paths = keep(archive, files[:2])
    rotten = archive.open(paths[1])
    content = bytearray(rotten.read_bytes())
    content[-1] ^= 1
    rotten.write_bytes(content)
    index.take(paths, START)
    index.rebuild(after(1))
    assert len(store.facts(study)) == 1
    assert "the file's bytes are not those that were received" in store.unusable(study)


def test_the_digest_that_the_receiver_told_is_the_one_that_is_filed(
    archive: Archive, index: Index, store: Store, files: list[Path], study: str
) -> None:
    kept = [archive.keep(arrival(file)) for file in files[:2]]
    index.take([one.path for one in kept], START, {kept[0].path: Told(study, kept[0].digest)})
    assert set(store.digests(study).values()) == {one.digest for one in kept}


def test_a_discarded_object_has_a_row_and_opens_nothing(
    archive: Archive, index: Index, store: Store, files: list[Path], study: str
) -> None:
    note = archive.keep_note(arrival(files[0]), "ultrasound is kept as a note only")
    assert index.take([note.path], START) == ()
    assert store.job(study) is None
    [series] = store.series(study)
    assert (series.discarded, series.unusable) == (1, ("ultrasound is kept as a note only",))
    assert index.rebuild(after(1)) == Rebuilt(0, 0)


def test_a_damaged_note_does_not_keep_the_images_of_its_batch_out(
    archive: Archive, index: Index, store: Store, files: list[Path], study: str
) -> None:
    paths = [*keep(archive, files[:2]), archive.keep_note(arrival(files[2]), "not kept").path]
    note = archive.open(paths[2])
    note.write_text(note.read_text().replace('"reason": "not kept"', '"reason": 7'))
    with capture_logs() as lines:
        assert index.take(paths, START) == (study,)
    assert [line["event"] for line in lines] == ["batch-not-indexed", "file-not-indexed"]
    assert len(store.facts(study)) == 2
    assert index.rebuild(after(1)) == Rebuilt(0, 0)


def test_a_file_that_went_away_is_no_row(
    archive: Archive, index: Index, store: Store, files: list[Path], study: str
) -> None:
    paths = keep(archive, files[:2])
    shutil.rmtree(archive.open(paths[0]).parent)
    assert index.take(paths, START) == ()
    assert store.known_paths() == set()


def settled(archive: Archive) -> None:
    """As if the archive's folders had been left alone for a minute."""
    for folder, when in archive.folders().items():
        os.utime(archive.root / folder, ns=(when, when - 60_000_000_000))


def test_catching_up_reads_no_folder_that_was_left_alone(
    archive: Archive, index: Index, files: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(archive, files)
    settled(archive)
    assert index.catch_up(after(1)) == Rebuilt(taken=6, missing=0)
    read: list[str] = []
    monkeypatch.setattr(archive, "paths_in", read.append)
    assert index.catch_up(after(2)) == Rebuilt(taken=0, missing=0)
    assert read == []


def test_catching_up_finds_what_came_and_went(
    archive: Archive, index: Index, store: Store, files: list[Path]
) -> None:
    first, second = keep(archive, files[:2])
    settled(archive)
    index.catch_up(after(1))
    archive.open(first).unlink()
    keep(archive, files[2:4])
    settled(archive)
    assert index.catch_up(after(2)) == Rebuilt(taken=2, missing=1)
    assert first not in store.known_paths()
    shutil.rmtree(archive.open(second).parent)
    assert index.catch_up(after(3)) == Rebuilt(taken=0, missing=3)
    assert index.catch_up(after(4)) == Rebuilt(taken=0, missing=0)


def test_a_folder_that_changed_a_moment_ago_is_looked_at_again(
    archive: Archive, index: Index, files: list[Path]
) -> None:
    [path] = keep(archive, files[:1])
    index.catch_up(after(1))
    folder = archive.open(path).parent
    at_first_sight = folder.stat().st_mtime_ns
    keep(archive, files[1:2])
    os.utime(folder, ns=(at_first_sight, at_first_sight))  # the clock of the file system had not moved on
    assert index.catch_up(after(2)) == Rebuilt(taken=1, missing=0)


def test_a_database_restored_from_a_backup_learns_what_came_after_it(
    archive: Archive, index: Index, store: Store, files: list[Path], tmp_path: Path
) -> None:
    keep(archive, files[:2])
    settled(archive)
    index.catch_up(after(1))
    url = f"sqlite:///{tmp_path / 'older.db'}"
    back_up(f"sqlite:///{tmp_path / 'node.db'}", tmp_path / "older.db")
    keep(archive, files)
    index.catch_up(after(2))
    older = Store(url)
    assert Index(archive, older).catch_up(after(3)) == Rebuilt(taken=4, missing=0)
    older.close()


def test_catching_up_removes_what_a_dead_writer_left(
    archive: Archive, index: Index, files: list[Path]
) -> None:
    [path] = keep(archive, files[:1])
    settled(archive)
    index.catch_up(after(1))
    left = archive.open(path).parent / ".tmp-1-1"
    left.touch()
    assert index.catch_up(after(2)).swept == 1
    assert not left.exists()


def test_a_file_of_no_known_study_that_goes_is_missed(archive: Archive, index: Index, store: Store) -> None:
    folder = archive.root / "ab" / ("ab" * 20)
    folder.mkdir(parents=True)
    stranger = folder / f"{'cd' * 20}-{'ef' * 8}.dcm"
    stranger.write_bytes(b"not DICOM")
    assert index.catch_up(after(1)) == Rebuilt(taken=1, missing=0)
    shutil.rmtree(folder)
    assert index.catch_up(after(2)) == Rebuilt(taken=0, missing=1)
