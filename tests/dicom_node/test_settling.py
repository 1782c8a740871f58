"""A receiver with a journal: what it answered is there after whatever may happen, and told as soon as it has its file."""

import os
import re
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from dicom_node.archive import Archive
from dicom_node.archive.journal import FOLDER, SEGMENTS, Journal
from dicom_node.archive.layout import file_path, study_folder
from dicom_node.archive.segment import Segment
from dicom_node.keeping.promises import keep_promises
from dicom_node.receiver.settling import settling_at
from tests.dicom_node.promises import SEGMENT_BYTES, Promises
from tests.dicom_node.receiving import Receiver, Sent, data_set_of, receiver
from tests.dicom_node.test_native_lane import Native
from tests.dicom_node.test_native_lane import image as plain
from tests.dicom_node.test_native_lane import said as asked
from tests.dicom_node.test_native_receiver import SUCCESS, image, native, put, request
from tests.dicom_node.test_reactor import peer
from tests.peers.presence import until
from tests.peers.strace import traced

pytestmark = pytest.mark.usefixtures("native_part")

MEGABYTE = 1_000_000
SLOW = bytes(100_000)


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Receiver]:
    with receiver(tmp_path / "archive") as running:
        assert len(segments(running)) == SEGMENTS, "prepared before it listens"
        yield running


def segments(node: Receiver) -> list[Path]:
    return [
        file for file in sorted((node.archive.root / FOLDER).glob("?")) if file.stat().st_size == MEGABYTE
    ]


def promised(node: Receiver) -> set[str]:
    """The paths that are in the journal."""
    found: set[str] = set()
    for file in segments(node):
        with closing(Segment(file)) as segment:
            found.update(one.path for one in segment.promised())
    return found


def path_of(item: Sent) -> str:
    return file_path(item.study, item.instance, item.digest, ".dcm")


def is_whole(node: Receiver, item: Sent) -> bool:
    file = node.archive.open(path_of(item))
    return file.exists() and data_set_of(file) == item.dataset


def test_an_object_is_durable_then_answered_then_a_file(node: Receiver, tmp_path: Path) -> None:
    calls = "trace=pwritev2,sendto,linkat,fdatasync,fsync"
    with peer(node) as one:
        native(one, node, "1.9.1")
        with traced(node.process.pid, tmp_path / "log", calls) as log:
            assert put(one, image("1.9.1", 1)) == SUCCESS
            node.event("stored")
    steps = re.findall(r"\b(pwritev2|sendto|linkat|fdatasync|fsync)\(", log.read_text())
    assert steps == ["pwritev2", "sendto", "linkat"]
    assert re.search(r"pwritev2\(.*RWF_DSYNC", log.read_text())


def test_what_is_promised_is_made_durable_after_a_second_and_forgotten(
    node: Receiver, tmp_path: Path
) -> None:
    with peer(node) as one, traced(node.process.pid, tmp_path / "log", "trace=syncfs") as log:
        native(one, node, "1.9.2")
        item = image("1.9.2", 1)
        assert put(one, item) == SUCCESS
        assert promised(node) == {path_of(item)}
        until(lambda: not promised(node), "it is settled")
        assert is_whole(node, item)
    assert "= 0" in log.read_text()


def test_a_stop_settles_everything(node: Receiver) -> None:
    with peer(node) as one:
        native(one, node, "1.9.3")
        for number in range(1, 30):
            assert put(one, image("1.9.3", number, pixels=SLOW)) == SUCCESS
    node.process.stop()
    assert promised(node) == set()
    assert len(node.kept("1.9.3")) == 30


def test_more_than_the_journal_holds_is_stored_all_the_same(node: Receiver) -> None:
    items = [image("1.9.4", number, pixels=SLOW) for number in range(120)]
    with peer(node) as one:
        for number, item in enumerate(items):
            assert put(one, item, number) == SUCCESS
        for item in items:
            assert node.event("stored")["instance"] == item.instance
    assert node.kept("1.9.4") == sorted(item.dataset for item in items)


@pytest.mark.parametrize("when", ["openat", "linkat"])
def test_who_is_killed_between_answer_and_file_has_it_when_it_comes_again(tmp_path: Path, when: str) -> None:
    root = tmp_path / "archive"
    with receiver(root) as node:
        with peer(node) as one:
            first, second = native(one, node, "1.9.5"), image("1.9.5", 1)
            kill = f"inject={when}:signal=SIGKILL"
            with traced(node.process.pid, tmp_path / "log", f"trace={when}", kill):
                assert put(one, second) == SUCCESS
                assert node.event("ended")["code"] == -signal.SIGKILL
        assert node.kept("1.9.5") == [first.dataset]
        assert promised(node) == {path_of(second)}
        node.process.start()
        assert node.kept("1.9.5") == sorted((first.dataset, second.dataset))


def test_after_a_power_cut_nothing_that_was_answered_is_missing_or_torn(tmp_path: Path) -> None:
    """The receiver is killed, and of files that were not synced the worst is assumed."""
    root = tmp_path / "archive"
    with receiver(root) as node:
        with peer(node) as one:
            items = [native(one, node, "1.9.6")]
            items += [image("1.9.6", number, pixels=SLOW) for number in range(1, 9)]
            for number, item in enumerate(items[1:]):
                assert put(one, item, number) == SUCCESS
            os.kill(node.process.pid, signal.SIGKILL)
        node.event("ended")
        unsynced = promised(node)
        assert unsynced
        assert unsynced <= {path_of(item) for item in items[1:]}
        for number, path in enumerate(sorted(unsynced)):
            if number % 2:
                (root / path).unlink(missing_ok=True)
            elif (root / path).exists():  # the last may have been killed before it had its file
                os.truncate(root / path, 5000)
        keep_promises(root)
        assert all(is_whole(node, item) for item in items)
        assert promised(node) == set()


def test_after_a_failed_sync_no_file_is_trusted(node: Receiver, tmp_path: Path) -> None:
    """Linux tells once that something could not be written, and not what."""
    with peer(node) as one:
        native(one, node, "1.9.7")
        items = [image("1.9.7", number, pixels=SLOW) for number in (1, 2)]  # within the second
        failing = "inject=syncfs:error=EIO:when=1"
        with traced(node.process.pid, tmp_path / "log", "trace=syncfs", failing) as log:
            for number, item in enumerate(items):
                assert put(one, item, number) == SUCCESS
                node.event("stored")
            before = {item.instance: node.archive.open(path_of(item)).stat().st_ino for item in items}
            until(lambda: not promised(node), "they are settled")
        assert "EIO" in log.read_text()
        after = {item.instance: node.archive.open(path_of(item)).stat().st_ino for item in items}
        assert all(after[instance] != inode for instance, inode in before.items()), "each was written anew"
        assert all(is_whole(node, item) for item in items)
        assert "cannot be made durable" in node.event("log")["message"]


def test_an_object_whose_study_was_removed_meanwhile_is_stored_and_told(node: Receiver) -> None:
    with peer(node) as one:
        first, second = native(one, node, "1.9.8"), image("1.9.8", 1)
        home = node.archive.root / study_folder("1.9.8")
        (node.archive.root / path_of(first)).unlink()
        home.rmdir()
        assert put(one, second) == SUCCESS
        assert node.event("postponed", study="1.9.8")["instance"] == second.instance, "it is waited for"
        told = node.event("stored", instance=second.instance)
        assert (told["path"], told["digest"]) == (path_of(second), second.digest)
        assert node.kept("1.9.8") == [second.dataset]


def test_a_file_that_cannot_be_written_is_tried_again_until_it_can(node: Receiver) -> None:
    with peer(node) as one:
        first, second = native(one, node, "1.9.9"), image("1.9.9", 1)
        home = node.archive.root / study_folder("1.9.9")
        (node.archive.root / path_of(first)).unlink()
        home.rmdir()
        home.write_text("something is in the way")
        assert put(one, second) == SUCCESS
        assert "cannot be made durable" in node.event("log")["message"]
        assert promised(node) == {path_of(second)}
        home.unlink()
        assert node.event("stored", instance=second.instance)["path"] == path_of(second)
        until(lambda: not promised(node), "it is settled")
        assert node.kept("1.9.9") == [second.dataset]


def test_two_senders_of_one_object_are_both_answered(node: Receiver) -> None:
    with peer(node, "ONE") as one, peer(node, "TWO") as two:
        native(one, node, "1.9.10")
        native(two, node, "1.9.10")
        for number in range(1, 60):
            item = image("1.9.10", number)
            one.send(*request(item, number))
            two.send(*request(item, number))
            assert one.status() == two.status() == (number, SUCCESS)
    assert len(node.kept("1.9.10")) == 60


def test_a_file_that_is_there_before_it_is_asked_for_is_told_at_once(tmp_path: Path) -> None:
    """The thread that settles may be faster than the one that has heard that it has something to do."""
    archive, told = Archive(tmp_path, 0), list[str]()
    settling = settling_at(archive, MEGABYTE, pytest.fail)
    assert settling is not None
    settling.start()
    there, missing_yet = (file_path("1.2", f"1.2.{number}", "0" * 64, ".dcm") for number in (1, 2))
    (tmp_path / there).parent.mkdir(parents=True)
    (tmp_path / there).write_bytes(b"restored already")
    settling.when_filed(there, lambda: told.append(there))
    settling.when_filed(missing_yet, lambda: told.append(missing_yet))
    assert told == [there]
    settling.stop()


@pytest.fixture
def left_behind(tmp_path: Path) -> Callable[[], bool]:
    """An archive with a promise that was not kept; whether it is now."""
    with closing(Promises(tmp_path)) as promises:
        with closing(Native(tmp_path, journal=promises.journal)) as lane:
            lane.peer.sendall(asked(plain(1)))
            (record,) = lane.serve()[2]
        (file,) = lane.home.iterdir()
        file.unlink()
    return lambda: file.exists() and file.name == record[1]


def test_without_the_native_part_promises_are_kept_and_none_are_made(
    tmp_path: Path, left_behind: Callable[[], bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "dicom_node.receiver._native", None)
    monkeypatch.delattr("dicom_node.receiver._native")
    assert not left_behind()
    assert settling_at(Archive(tmp_path, 0), MEGABYTE, pytest.fail) is None
    assert left_behind()
    assert list((tmp_path / FOLDER).iterdir()) == []


def test_a_journal_of_nothing_is_none(tmp_path: Path, left_behind: Callable[[], bool]) -> None:
    assert settling_at(Archive(tmp_path, 0), 0, pytest.fail) is None
    assert left_behind()
    assert list((tmp_path / FOLDER).iterdir()) == []


@pytest.mark.parametrize(
    ("release", "works"), [("5.7.19-generic", False), ("5.8.0", True), ("6.18.44-x", True)]
)
def test_a_system_that_does_not_tell_of_failures_is_not_relied_on(
    tmp_path: Path, release: str, works: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("platform.release", lambda: release)
    settling = settling_at(Archive(tmp_path, 0), MEGABYTE, pytest.fail)
    assert (settling is not None) == works
    if settling is not None:
        settling.start()
        settling.stop()


def test_nor_is_a_file_system_that_is_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    shared = Path("/dev/shm") / f"journal-{os.getpid()}"
    try:
        assert settling_at(Archive(shared, 0), MEGABYTE, said.append) is None
        assert said == []
    finally:
        for file in (*(shared / FOLDER).iterdir(), shared / FOLDER):
            file.rmdir()
        shared.rmdir()


def test_what_cannot_be_recovered_is_said_and_waits(tmp_path: Path, left_behind: Callable[[], bool]) -> None:
    home = tmp_path / study_folder(plain(1).study)
    home.rmdir()
    home.write_text("something is in the way")
    said: list[str] = []
    keep_promises(tmp_path)
    assert settling_at(Archive(tmp_path, 0), MEGABYTE, said.append) is None
    assert "what it promises waits" in said[0]
    home.unlink()
    keep_promises(tmp_path)
    assert left_behind()


def test_a_journal_takes_nothing_of_the_disks_reserve(
    tmp_path: Path, left_behind: Callable[[], bool]
) -> None:
    said: list[str] = []
    small, large = SEGMENTS * SEGMENT_BYTES, 2 * SEGMENTS * SEGMENT_BYTES
    assert settling_at(Archive(tmp_path, 1 << 60), large, said.append) is None
    assert "reserve" in said[0]
    assert left_behind()
    settling = settling_at(Archive(tmp_path, 1 << 60), small, pytest.fail)
    assert settling is not None, "it is there already"
    settling.start()
    settling.stop()


def test_a_second_receiver_has_no_journal_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dicom_node.archive.journal._OTHERS_LEAVE_S", 0.0)
    said: list[str] = []
    with Journal(tmp_path):
        assert settling_at(Archive(tmp_path, 0), MEGABYTE, said.append) is None
    assert "has no journal" in said[0]
