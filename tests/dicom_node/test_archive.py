"""The archive: what `keep` returned is on the disk, whole; nothing else is."""

import errno
import hashlib
import multiprocessing
import os
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pydicom
import pytest

from dicom_node.archive import Archive, Arrival, Kept, durable
from dicom_node.archive.draft import can_be_nameless
from dicom_node.archive.note import read_note
from dicom_node.errors import ArchiveFull, ArchiveUnwritable
from tests.dicom_node.receiving import MR_IMAGE, SECONDARY_CAPTURE, Sent, data_set_of
from tests.peers.presence import program
from tests.peers.small_disk import small_disk

EXPLICIT = "1.2.840.10008.1.2.1"


def arrival(
    study: str = "1.2.3", instance: str = "1.2.3.4", dataset: bytes | None = None, caller: str = "MR 1"
) -> Arrival:
    body = Sent(study, instance).dataset if dataset is None else dataset
    return Arrival(study, instance, MR_IMAGE, EXPLICIT, caller, body)


@pytest.fixture(params=[True, False], ids=["nameless", "with a temporary name"])
def nameless(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether files have no name until they are whole, or a temporary one, as where nothing else is possible."""
    if request.param and not can_be_nameless(tmp_path):
        pytest.skip("this file system has no files without names")
    monkeypatch.setattr(durable, "can_be_nameless", lambda folder: request.param)
    return bool(request.param)


@pytest.fixture
def archive(tmp_path: Path, nameless: bool) -> Archive:
    return Archive(tmp_path / "archive", reserve_bytes=0)


def remove_study(archive: Archive, study: str) -> int:
    return archive.remove((path, datetime.max.replace(tzinfo=UTC)) for path in archive.study_paths(study))


def temporaries(archive: Archive) -> list[Path]:
    return list(archive.root.rglob(".tmp-*"))


def test_the_data_set_lies_there_as_it_came_behind_a_head_of_ours(archive: Archive) -> None:
    kept = archive.keep(arrival())
    path = archive.open(kept.path)
    assert data_set_of(path) == arrival().dataset
    assert kept.digest == hashlib.sha256(arrival().dataset).hexdigest()
    meta = pydicom.dcmread(path).file_meta
    assert meta.MediaStorageSOPClassUID == MR_IMAGE
    assert meta.MediaStorageSOPInstanceUID == "1.2.3.4"
    assert meta.TransferSyntaxUID == EXPLICIT
    assert meta.SourceApplicationEntityTitle == "MR 1"
    assert len(meta.ImplementationVersionName) <= 16


@pytest.mark.data
@pytest.mark.peers("dcmdump")
def test_dcmtk_and_pydicom_read_a_real_image_back(
    archive: Archive, sunnybrook: Callable[[str], list[Path]]
) -> None:
    source = sunnybrook("SC-HF-I-1")[0]
    header = pydicom.dcmread(source, stop_before_pixels=True)
    body = data_set_of(source)
    kept = archive.keep(arrival(header[0x0020000D].value, header[0x00080018].value, body))
    path = archive.open(kept.path)
    said = subprocess.run([program("dcmdump"), path], capture_output=True, text=True, check=True)
    assert "SourceApplicationEntityTitle" in said.stdout
    assert said.stderr == ""
    assert (pydicom.dcmread(path).pixel_array == pydicom.dcmread(source).pixel_array).all()


def test_the_same_bytes_are_kept_once(archive: Archive) -> None:
    first, again = archive.keep(arrival()), archive.keep(arrival())
    assert (first.new, again.new) == (True, False)
    assert list(archive.paths()) == [first.path] == [again.path]


def test_other_bytes_under_the_same_uid_are_kept_beside_the_first(archive: Archive) -> None:
    first = archive.keep(arrival())
    other = archive.keep(arrival(dataset=Sent(pixels=bytes(66)).dataset))
    assert other.new
    assert set(archive.paths()) == {first.path, other.path}
    assert archive.study_paths("1.2.3") == tuple(sorted((first.path, other.path)))


@pytest.mark.parametrize(
    "uid", ["../../escaped", "/etc/passwd", "1.2.003.004", "1." * 120, "a\0b", "", "\xff\xfe", "\ud800"]
)
def test_no_uid_shapes_a_path(archive: Archive, uid: str) -> None:
    body = Sent().dataset
    kept = archive.keep(Arrival(uid, "1.2", MR_IMAGE, EXPLICIT, "", body))
    assert archive.open(kept.path).resolve().is_relative_to(archive.root.resolve())
    assert list(archive.root.parent.iterdir()) == [archive.root]


def test_uids_that_break_the_rules_stand_in_the_head_as_they_came(archive: Archive) -> None:
    kept = archive.keep(arrival(instance="1.02.0003" + ".4" * 40))
    meta = pydicom.filereader.read_file_meta_info(archive.open(kept.path))
    assert meta.get_item("MediaStorageSOPInstanceUID").value.rstrip(b"\0") == b"1.02.0003" + b".4" * 40


@pytest.mark.parametrize("path", ["../x.dcm", "ab/cd.dcm", "", "/ab"])
def test_only_paths_of_ours_are_opened(archive: Archive, path: str) -> None:
    with pytest.raises(ValueError, match="not a path of the archive"):
        archive.open(path)


def test_a_note_says_what_came_without_keeping_it(archive: Archive) -> None:
    body = Sent(sop_class=SECONDARY_CAPTURE, pixels=bytes(100_000)).dataset
    report = Arrival("1.2.3", "1.2.3.9", SECONDARY_CAPTURE, EXPLICIT, "PACS", body)
    kept = archive.keep_note(report, "Secondary Capture is not analysed")
    assert kept.new
    assert not archive.keep_note(report, "Secondary Capture is not analysed").new
    path = archive.open(kept.path)
    assert path.stat().st_size < 1000
    note = read_note(path)
    assert (note.sop_instance_uid, note.source_ae_title, note.size_bytes) == ("1.2.3.9", "PACS", len(body))
    assert note.digest == kept.digest == hashlib.sha256(body).hexdigest()


def test_a_deleted_study_is_gone_and_can_come_again(archive: Archive) -> None:
    archive.keep(arrival())
    archive.keep_note(arrival(instance="1.9"), "not analysed")
    other = archive.keep(arrival(study="9.9"))
    assert remove_study(archive, "1.2.3") == 2
    assert archive.study_paths("1.2.3") == ()
    assert list(archive.paths()) == [other.path]
    assert archive.keep(arrival()).new
    assert remove_study(archive, "unheard of") == 0


def test_a_file_that_came_after_the_decision_stays(archive: Archive) -> None:
    kept = archive.keep(arrival())
    written = archive.open(kept.path).stat().st_mtime
    assert archive.remove([(kept.path, datetime.fromtimestamp(written - 1, UTC))]) == 0
    assert list(archive.paths()) == [kept.path]


def test_what_is_removed_while_it_comes_again_is_written_again(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = archive.keep(arrival())

    real = os.fsync

    def removed_meanwhile(descriptor: int) -> None:
        monkeypatch.setattr(os, "fsync", real)
        remove_study(archive, "1.2.3")

    monkeypatch.setattr(os, "fsync", removed_meanwhile)
    assert archive.keep(arrival()) == kept
    assert list(archive.paths()) == [kept.path]


def test_below_the_reserve_nothing_is_taken(tmp_path: Path) -> None:
    archive = Archive(tmp_path / "archive", reserve_bytes=1 << 60)
    with pytest.raises(ArchiveFull, match="MB free, reserve is"):
        archive.keep(arrival())
    assert list(archive.paths()) == []


def test_write_sync_name_and_sync_of_the_folder_come_in_this_order(
    archive: Archive, nameless: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []
    archive.keep(arrival(instance="1.1"))  # the folders are there now

    def watch(owner: object, name: str, label: str) -> None:
        real = getattr(owner, name)
        monkeypatch.setattr(
            owner, name, lambda *given, **named: (steps.append(label), real(*given, **named))[1]
        )

    for name in ("writev", "fdatasync", "fsync", "rename", "link"):
        watch(os, name, name)
    archive.keep(arrival(instance="1.2"))
    assert steps == ["writev", "fdatasync", "link" if nameless else "rename", "fsync"]


def test_new_folders_are_synced_into_their_parents_first(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[Path] = []
    real = os.fsync

    def fsync(descriptor: int) -> None:
        synced.append(Path(f"/proc/self/fd/{descriptor}").readlink())
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    study = archive.open(archive.keep(arrival()).path).parent
    assert synced == [archive.root.parent, archive.root, study.parent, study]


@pytest.mark.parametrize(
    ("number", "error"),
    [
        (errno.ENOSPC, ArchiveFull),
        (errno.EDQUOT, ArchiveFull),
        (errno.EIO, ArchiveUnwritable),
        (errno.EROFS, ArchiveUnwritable),
    ],
)
def test_a_write_that_fails_leaves_nothing_behind(
    archive: Archive, monkeypatch: pytest.MonkeyPatch, number: int, error: type[Exception]
) -> None:
    def fails(descriptor: int) -> None:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fdatasync", fails)
        with pytest.raises(error):
            archive.keep(arrival())
    assert list(archive.paths()) == []
    assert temporaries(archive) == []
    assert archive.keep(arrival()).new


@pytest.mark.parametrize("before", [False, True], ids=["new", "sent again"])
def test_a_name_that_could_not_be_synced_is_not_taken_for_one_that_was(
    archive: Archive, monkeypatch: pytest.MonkeyPatch, before: bool
) -> None:
    """Linux reports a failed write once: the next fsync succeeds, and says nothing of what was lost."""
    archive.keep(arrival(instance="1.1"))  # the folders are there now
    if before:
        archive.keep(arrival())
    real = os.fsync

    def fails_once(descriptor: int) -> None:
        monkeypatch.setattr(os, "fsync", real)
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "fsync", fails_once)
    with pytest.raises(ArchiveUnwritable, match="Input/output error"):
        archive.keep(arrival())


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of one megabyte."""
    with small_disk(tmp_path / "disk", 1) as folder:
        yield folder


def test_a_full_disk_refuses_and_takes_again_when_there_is_room(disk: Path) -> None:
    archive = Archive(disk / "archive", reserve_bytes=0)
    large = arrival(instance="1.8", dataset=Sent(pixels=bytes(800_000)).dataset)
    archive.keep(large)
    with pytest.raises(ArchiveFull):
        archive.keep(arrival(instance="1.9", dataset=Sent(pixels=bytes(400_000)).dataset))
    assert temporaries(archive) == []
    assert remove_study(archive, "1.2.3") == 1
    assert archive.keep(large).new


def test_a_disk_that_fills_while_writing_is_full_too(disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = Archive(disk / "archive", reserve_bytes=0)
    monkeypatch.setattr(Archive, "free_bytes", lambda self: 1 << 40)
    with pytest.raises(ArchiveFull, match="no space left"):
        archive.keep(arrival(dataset=Sent(pixels=bytes(2_000_000)).dataset))
    assert temporaries(archive) == []
    assert list(archive.paths()) == []


def test_a_read_only_disk_is_said_to_be_one(disk: Path) -> None:
    archive = Archive(disk / "archive", reserve_bytes=0)
    archive.keep(arrival())
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    with pytest.raises(ArchiveUnwritable, match="Read-only file system"):
        archive.keep(arrival(instance="1.9"))
    assert not archive.keep(arrival()).new


def _die_while_writing(root: Path, nameless: bool) -> None:
    os.fdatasync = lambda descriptor: os.kill(os.getpid(), 9)
    durable.can_be_nameless = lambda folder: nameless
    Archive(root, 0).keep(arrival())


def test_what_a_dead_writer_left_is_swept_away(archive: Archive, nameless: bool) -> None:
    spawned = multiprocessing.get_context("spawn")
    child = spawned.Process(target=_die_while_writing, args=(archive.root, nameless))
    child.start()
    child.join()
    assert child.exitcode == -9
    left = 0 if nameless else 1
    assert len(temporaries(archive)) == left
    assert list(archive.paths()) == []
    assert archive.sweep(archive.folders()) == left
    assert temporaries(archive) == []


def test_two_writers_of_the_same_bytes_leave_one_file(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.fdatasync
    first: list[Kept] = []

    def overtaken(descriptor: int) -> None:
        monkeypatch.setattr(os, "fdatasync", real)
        first.append(Archive(archive.root, 0).keep(arrival()))
        real(descriptor)

    monkeypatch.setattr(os, "fdatasync", overtaken)
    second = archive.keep(arrival())
    assert (first[0].path, first[0].new) == (second.path, True)
    assert data_set_of(archive.open(second.path)) == arrival().dataset
    assert list(archive.paths()) == [second.path]
    assert temporaries(archive) == []


def test_whether_files_can_be_nameless_is_tried_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not can_be_nameless(tmp_path / "nowhere")
    can_be_nameless(tmp_path)
    assert list(tmp_path.iterdir()) == []

    def forbidden(*_: object, **__: object) -> None:
        raise PermissionError(errno.EPERM, "no links here")

    monkeypatch.setattr(os, "link", forbidden)
    assert not can_be_nameless(tmp_path)
    assert Archive(tmp_path / "archive", 0).keep(arrival()).new


def test_what_a_living_writer_is_at_work_on_is_not_swept(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    swept: list[int] = []
    real = os.fdatasync

    def fdatasync(descriptor: int) -> None:
        swept.append(Archive(archive.root, 0).sweep(archive.folders()))
        real(descriptor)

    monkeypatch.setattr(os, "fdatasync", fdatasync)
    assert archive.keep(arrival()).new
    assert swept == [0]
