"""The archive's journal: what a lane promised there is in its place after a power cut, whatever became of its file."""

import fcntl
import os
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from dicom_node.archive import journal as journals
from dicom_node.archive.journal import SEGMENTS, Journal, has_journal
from dicom_node.archive.layout import file_path
from tests.dicom_node.promises import SEGMENT_BYTES, Promises
from tests.dicom_node.receiving import Sent
from tests.dicom_node.test_native_lane import (
    LONG_MS,
    LONGEST,
    STUDY,
    Native,
    answer,
    files_of,
    image,
    record,
    said,
)

pytestmark = pytest.mark.usefixtures("native_part")

try:
    from dicom_node.receiver import _native
except ImportError:  # not built here
    _native = None  # type: ignore[assignment]

BLOCK, HEAD = 4096, 160
MORE_THAN_A_SEGMENT = bytes(SEGMENT_BYTES)


@pytest.fixture
def promises(tmp_path: Path) -> Iterator[Promises]:
    with closing(Promises(tmp_path)) as promises:
        yield promises


@pytest.fixture
def native(tmp_path: Path, promises: Promises) -> Iterator[Native]:
    with closing(Native(tmp_path, LONGEST, journal=promises.journal)) as native:
        yield native


def serve(native: Native, *numbers: int, pixels: bytes = b"pixels") -> dict[str, bytes]:
    """Have these images stored; the files that they are."""
    items = [image(number, pixels=pixels) for number in numbers]
    for item in items:
        assert stored(native, item) == [record(item)]
    return files_of(*items)


def stored(native: Native, item: Sent) -> list[tuple[str, str, str, int]]:
    """What the lane records of an object, whose answer is there then."""
    sending = threading.Thread(target=native.peer.sendall, args=(said(item),))
    sending.start()
    records: list[tuple[str, str, str, int]] = []
    while not records:
        records = native.serve(LONG_MS)[2]
    sending.join()
    assert native.answered() == answer(item)
    return records


def recovered(promises: Promises, root: Path) -> int:
    """What the next process to come writes."""
    promises.close()
    with Journal(root) as journal:
        return journal.recover()


def test_what_is_answered_is_promised_to_the_byte(native: Native, promises: Promises) -> None:
    for number, pixels in enumerate((b"", b"odd", bytes(range(256)) * 1000)):
        files = serve(native, number, pixels=pixels)
        assert files.items() <= promises.held().items()
    assert promises.held() == native.files()


LOSSES: dict[str, Callable[[Path], object]] = {
    "gone": Path.unlink,
    "empty": lambda file: os.truncate(file, 0),
    "cut": lambda file: os.truncate(file, 300),
    "longer": lambda file: os.truncate(file, 5000),
    "torn": lambda file: file.write_bytes(bytes(file.stat().st_size)),
}


@pytest.mark.parametrize("lose", LOSSES.values(), ids=LOSSES)
def test_whatever_a_power_cut_makes_of_the_files_they_are_there_again(
    native: Native, promises: Promises, tmp_path: Path, lose: Callable[[Path], object]
) -> None:
    promised = serve(native, *range(5))
    lost = list(native.files())[:3]
    for path in lost:
        lose(tmp_path / path)
    assert native.files() != promised
    promises_kept = recovered(promises, tmp_path)
    assert (native.files(), promises_kept) == (promised, 3)
    with Journal(tmp_path) as journal:
        assert journal.recover() == 0


def test_folders_that_are_gone_are_made_again(native: Native, promises: Promises, tmp_path: Path) -> None:
    promised = serve(native, 1, 2)
    for path in promised:
        (tmp_path / path).unlink()
    native.home.rmdir()
    native.home.parent.rmdir()
    assert recovered(promises, tmp_path) == 2
    assert native.files() == promised


def test_what_was_kept_is_forgotten_and_what_is_removed_then_stays_removed(
    native: Native, promises: Promises, tmp_path: Path
) -> None:
    promised = serve(native, 1, 2)
    assert recovered(promises, tmp_path) == 0
    for path in promised:
        (tmp_path / path).unlink()
    with Journal(tmp_path) as journal:
        assert journal.recover() == 0
    assert native.files() == {}


def test_an_entry_with_any_byte_amiss_is_none_and_those_behind_it_are_kept(
    native: Native, promises: Promises
) -> None:
    serve(native, 1, 2)
    first, second = promises.held()
    size = HEAD + len(promises.held()[first])
    descriptor = promises.files.segments[0].descriptor
    for at in range(size):
        (byte,) = os.pread(descriptor, 1, BLOCK + at)
        os.pwrite(descriptor, bytes([byte ^ 0x20]), BLOCK + at)
        assert list(promises.held()) == [second], f"byte {at}"
        os.pwrite(descriptor, bytes([byte]), BLOCK + at)
    assert list(promises.held()) == [first, second]


def entry(key: bytes, instance: str, content: bytes, *, head: int = 10, at: int = BLOCK) -> bytes:
    """An entry as native/journal.c writes it there, made by whoever knows the key."""
    sealed = struct.pack("<QQ112s", len(content), head, instance.encode()) + content
    return key + AESGCM(key).encrypt(struct.pack("<QL", at, 0), b"", sealed) + sealed


def test_an_entry_is_what_the_documents_say(native: Native, promises: Promises, tmp_path: Path) -> None:
    content = bytes(range(200))
    path = file_path(STUDY, "1.2.3", sha256(content[10:]).hexdigest(), ".dcm")
    segment = promises.files.segments[0]
    os.pwrite(segment.descriptor, entry(segment.renew(), instance_of(path), content), BLOCK)
    assert promises.held() == {path: content}
    assert recovered(promises, tmp_path) == 1
    assert native.files() == {path: content}


def instance_of(path: str) -> str:
    """The path up to the digest, as an entry has it."""
    return path.rpartition("-")[0]


@pytest.mark.parametrize("instance", ["../../elsewhere", "/elsewhere", "", "journal/0", "ab/cd/ef"])
def test_no_entry_leads_out_of_the_archive(promises: Promises, instance: str) -> None:
    segment = promises.files.segments[0]
    os.pwrite(segment.descriptor, entry(segment.renew(), instance, bytes(100)), BLOCK)
    assert promises.held() == {}


def test_an_entry_is_none_elsewhere_and_under_another_key(native: Native, promises: Promises) -> None:
    promised = serve(native, 1)
    segment, other = promises.files.segments[:2]
    written = os.pread(segment.descriptor, HEAD + len(next(iter(promised.values()))), BLOCK)
    os.pwrite(segment.descriptor, written, 20 * BLOCK)
    os.pwrite(other.descriptor, written, BLOCK)
    assert [[one.path for one in segment.promised()], list(other.promised())] == [list(promised), []]
    segment.renew()
    assert promises.held() == {}


def test_what_comes_again_is_promised_again_and_known(
    native: Native, promises: Promises, tmp_path: Path
) -> None:
    promised = serve(native, 1)
    (path,) = promised
    before = (tmp_path / path).stat()
    assert stored(native, image(1)) == [(*record(image(1))[:3], _native.KNOWN)]
    after = (tmp_path / path).stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert [one.path for one in promises.files.segments[0].promised()] == [path, path]
    (tmp_path / path).unlink()
    assert recovered(promises, tmp_path) == 1
    assert native.files() == promised


def test_an_object_full_of_entries_is_one_object(native: Native, promises: Promises, tmp_path: Path) -> None:
    """A peer who has seen a journal knows all of it but the key."""
    forged = entry(bytes(16), instance_of(file_path(STUDY, "1.6.6", "6" * 64, ".dcm")), bytes(100))
    blocks = b"".join(forged.ljust(BLOCK, b"\0") for _ in range(20))
    for shift in range(0, BLOCK, 512):
        serve(native, shift, pixels=bytes(shift) + blocks)
    assert promises.held().keys() == native.files().keys()
    assert recovered(promises, tmp_path) == 0


def test_full_segments_ring_and_are_filled_again_when_they_are_settled(
    native: Native, promises: Promises, tmp_path: Path
) -> None:
    half = bytes(SEGMENT_BYTES // 2 - 10_000)
    assert not promises.has_rung()
    serve(native, 1, pixels=half)
    assert promises.has_rung(), "somebody shall settle it some time"
    serve(native, 2, pixels=half)
    assert not promises.has_rung()
    assert promises.settle() == []
    serve(native, 3, pixels=half)
    assert promises.has_rung()
    assert promises.settle() == [0]
    assert promises.held().keys() == serve_again(native, 3, half)
    for number in range(4, 20):
        serve(native, number, pixels=half)
        promises.settle()
        assert len(promises.held()) in (1, 2)
    assert recovered(promises, tmp_path) == 0


def serve_again(native: Native, number: int, pixels: bytes) -> set[str]:
    return set(files_of(image(number, pixels=pixels)))


def test_without_room_in_the_journal_the_file_comes_first(native: Native, promises: Promises) -> None:
    half = bytes(SEGMENT_BYTES // 2 - 10_000)
    numbers = range(2 * SEGMENTS + 3)
    files = serve(native, *numbers, pixels=half)
    assert native.files() == files
    assert len(promises.held()) == 2 * SEGMENTS
    assert len(promises.settle()) == SEGMENTS
    more = serve(native, 100, pixels=half)
    assert promises.held().keys() == more.keys()


def test_what_is_too_long_for_the_journal_leaves_it_alone(native: Native, promises: Promises) -> None:
    serve(native, 1, pixels=MORE_THAN_A_SEGMENT)
    assert (promises.held(), promises.journal.used) == ({}, False)
    small = serve(native, 2)
    assert promises.held() == small


def test_a_turn_ends_a_segment_that_has_entries(native: Native, promises: Promises) -> None:
    promises.journal.turn()
    assert promises.journal.full() == []
    serve(native, 1)
    promises.journal.turn()
    assert promises.journal.full() == [(0, False)]
    assert promises.journal.used
    serve(native, 2)
    assert promises.settle() == [0]
    assert promises.held().keys() == files_of(image(2)).keys()


def test_a_file_that_cannot_be_written_stays_promised(
    native: Native, promises: Promises, tmp_path: Path
) -> None:
    native.home.rmdir()  # as retention does
    assert stored(native, image(1)) == [(*record(image(1))[:3], _native.UNFILED)]
    assert promises.has_rung()
    promises.journal.turn()
    assert promises.journal.full() == [(0, True)]
    assert native.files() == {}
    assert recovered(promises, tmp_path) == 1
    assert native.files() == files_of(image(1))


def test_promises_that_cannot_be_kept_wait(native: Native, promises: Promises, tmp_path: Path) -> None:
    promised = serve(native, 1, 2)
    for path in promised:
        (tmp_path / path).unlink()
    native.home.rmdir()
    native.home.write_text("something is in the way")
    promises.close()
    for _ in range(2):
        with Journal(tmp_path) as journal, pytest.raises(OSError, match=r"File exists|Not a directory"):
            journal.recover()
    native.home.unlink()
    with Journal(tmp_path) as journal:
        assert journal.recover() == 2
    assert native.files() == promised


def test_no_two_have_the_journal_at_once(
    promises: Promises, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journals, "_OTHERS_LEAVE_S", 0.0)
    with pytest.raises(BlockingIOError):
        Journal(tmp_path)
    descriptors = set(Path("/proc/self/fd").iterdir())
    with pytest.raises(BlockingIOError):
        Journal(tmp_path)
    assert set(Path("/proc/self/fd").iterdir()) == descriptors


def test_who_wants_it_waits_for_who_has_it(promises: Promises, tmp_path: Path) -> None:
    """A receiver whose node has died finishes what it is storing."""
    with pytest.MonkeyPatch.context() as patch:
        tried: list[int] = []

        def flock(descriptor: int, how: int, take: Callable[[int, int], None] = fcntl.flock) -> None:
            tried.append(how)
            if len(tried) == 3:
                promises.files.close()
            take(descriptor, how)

        patch.setattr(fcntl, "flock", flock)
        with Journal(tmp_path) as journal:
            assert len(tried) == 3
            assert journal.segments == []
    promises.files = Journal(tmp_path)


@pytest.mark.parametrize("before", [0, 4097, SEGMENT_BYTES // 2, 2 * SEGMENT_BYTES])
def test_segments_of_another_size_are_made_anew(tmp_path: Path, before: int) -> None:
    with Journal(tmp_path) as journal:
        journal.prepare(before)
    with closing(Promises(tmp_path)) as promises:
        sizes = {os.fstat(segment.descriptor).st_size for segment in promises.files.segments}
        assert sizes == {SEGMENT_BYTES}
        with closing(Native(tmp_path, journal=promises.journal)) as native:
            files = serve(native, 1)
            assert promises.held() == files


def test_a_journal_gives_its_room_back(tmp_path: Path) -> None:
    assert not has_journal(tmp_path)
    with Journal(tmp_path) as journal:
        journal.prepare(SEGMENT_BYTES)
        journal.remove()
        assert list((tmp_path / journals.FOLDER).iterdir()) == []
        assert journal.recover() == 0
    assert has_journal(tmp_path)


def test_a_closed_journal_takes_nothing(native: Native, promises: Promises) -> None:
    assert promises.journal.close()
    files = serve(native, 1)
    assert (native.files(), promises.held()) == (files, {})


WRONG: dict[str, Callable[[Promises], object]] = {
    "segments that hold nothing": lambda promises: _native.Journal(promises.bell, BLOCK),
    "a short key": lambda promises: promises.journal.add(0, b"short"),
    "a segment that is not full": lambda promises: promises.journal.renew(0, bytes(16)),
    "a segment too many": lambda promises: promises.journal.renew(SEGMENTS, bytes(16)),
    "no journal": lambda _: _native.Lane(0, 0, 1000, 0, b"", "no journal"),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("use", WRONG.values(), ids=WRONG)
def test_a_wrong_use_is_an_error(promises: Promises, use: Callable[[Promises], object]) -> None:
    with pytest.raises((ValueError, TypeError)):
        use(promises)
