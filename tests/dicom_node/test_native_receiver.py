"""A receiver whose associations are served by the lane in C: its node, its archive and its peers see no difference."""

import re
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from dicom_node.archive.layout import file_path
from dicom_node.receiver.storing import OUR_MODEL_NAME
from tests.dicom_node.receiving import MR_IMAGE, SECONDARY_CAPTURE, Receiver, Sent, element, receiver
from tests.dicom_node.test_reactor import (
    ABORT,
    P_DATA,
    RELEASE_RP,
    RELEASE_RQ,
    VERIFICATION,
    Peer,
    closes,
    command,
    elements,
    peer,
    store,
)
from tests.dicom_node.test_receiver_hostile import p_data
from tests.peers.presence import until
from tests.peers.strace import traced

pytestmark = pytest.mark.usefixtures("native_part")

SUCCESS, OUT_OF_RESOURCES, DOES_NOT_MATCH = 0x0000, 0xA700, 0xA900
STATUS, COMMENT = 0x0900, 0x0902
IDLE_S = 1.0


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Receiver]:
    with receiver(tmp_path / "archive", max_object_mb=4) as running:
        yield running


@pytest.fixture
def unjournaled(tmp_path: Path) -> Iterator[Receiver]:
    """One that answers when each image is durable in its own file."""
    with receiver(tmp_path / "archive", max_object_mb=4, journal_mb=0) as running:
        yield running


def image(study: str, number: int, extra: bytes = b"", pixels: bytes = bytes(64)) -> Sent:
    return Sent(study=study, instance=f"{study}.{number}", extra=extra, pixels=pixels)


def request(item: Sent, number: int = 1) -> list[bytes]:
    """The PDUs of a plain request: the header lies in its data set's first fragment."""
    return store(item, number, pieces=1)


def put(one: Peer, item: Sent, number: int = 1, context: int = 1, pieces: int = 1) -> int:
    """Send an object; its status."""
    one.send(*store(item, number, context, pieces))
    answered, status = one.status()
    assert answered == number
    return status


def refusal(one: Peer, item: Sent) -> tuple[int, bytes]:
    """Send an object; its status and the comment on it."""
    one.send(*request(item))
    kind, body = one.hear()
    assert kind == P_DATA
    values = elements(body[6:])
    return int.from_bytes(values[STATUS], "little"), values.get(COMMENT, b"")


def native(one: Peer, node: Receiver, study: str) -> Sent:
    """A first object of `study`, after which the association is served in C; the object."""
    first = image(study, 0)
    assert put(one, first) == SUCCESS
    node.event("stored", instance=first.instance)
    return first


def test_objects_of_two_studies_are_told_with_all_that_is_known_of_them(node: Receiver) -> None:
    items = [image("1.8.1", number) for number in range(5)] + [image("1.8.2", 0), image("1.8.1", 5)]
    with peer(node, "TWO") as one:
        for number, item in enumerate(items):
            assert put(one, item, number) == SUCCESS
    for item in items:
        told = node.event("stored")
        assert told["path"] == file_path(item.study, item.instance, item.digest, ".dcm")
        assert (told["digest"], told["study"], told["instance"]) == (item.digest, item.study, item.instance)
        assert (told["new"], told["discarded"]) == (True, False)
    closed = node.event("closed")
    assert (closed["stored"], closed["refused"], closed["studies"]) == (7, 0, ["1.8.1", "1.8.2"])
    for study in ("1.8.1", "1.8.2"):
        assert node.kept(study) == sorted(item.dataset for item in items if item.study == study)


def test_the_first_object_of_a_study_alone_goes_through_python(node: Receiver, tmp_path: Path) -> None:
    """Seen from outside, by strace: the two ways send their answers with different flags."""
    with peer(node) as one, traced(node.process.pid, tmp_path / "log", "trace=sendto") as log:
        for number, study in enumerate(("1.8.3", "1.8.3", "1.8.3", "1.8.4", "1.8.4", "1.8.3", "1.8.3")):
            assert put(one, image(study, number)) == SUCCESS
    answers = re.findall(r"sendto\(\d+, \"\\4\\0.*, (MSG_DONTWAIT\|MSG_NOSIGNAL|\w+), NULL", log.read_text())
    assert ["NOSIGNAL" in flags for flags in answers] == [False, True, True, False, True, False, True]


def test_requests_sent_without_waiting_are_told_before_the_peer_goes_on(node: Receiver) -> None:
    """Python has received them all when the lane in C comes to serve them."""
    items = [image("1.8.5", number) for number in range(9)]
    with peer(node) as one:
        one.send(*(pdu for number, item in enumerate(items) for pdu in request(item, number)))
        assert [one.status() for _ in items] == [(number, SUCCESS) for number in range(9)]
        assert [node.event("stored")["instance"] for _ in items] == [item.instance for item in items]
    assert node.kept("1.8.5") == sorted(item.dataset for item in items)


def test_whatever_comes_in_between_is_answered_as_ever(node: Receiver) -> None:
    mismatch = Sent(study="1.8.6", instance="1.8.6.90", sop_class=SECONDARY_CAPTURE).saying(
        sop_class=MR_IMAGE
    )
    ours = image("1.8.6", 91, extra=element(0x0008, 0x1090, b"LO", OUR_MODEL_NAME.encode()))
    capture = Sent(study="1.8.6", instance="1.8.6.92", sop_class=SECONDARY_CAPTURE)
    long = image("1.8.6", 93, pixels=bytes(3_000_000))
    longer = image("1.8.6", 94, pixels=bytes(4_000_001))
    plain = [image("1.8.6", number) for number in range(7)]
    with peer(node, "MIXED", also=(SECONDARY_CAPTURE,)) as one:
        assert put(one, plain[0]) == SUCCESS
        assert put(one, plain[1]) == SUCCESS
        echo = command(0x30, 7, VERIFICATION, data=False)
        one.send(p_data(one.contexts[VERIFICATION], 3, echo))
        assert one.status() == (7, SUCCESS)
        assert put(one, plain[2]) == SUCCESS
        assert put(one, mismatch) == DOES_NOT_MATCH
        assert put(one, plain[3]) == SUCCESS
        assert put(one, ours) == SUCCESS
        assert put(one, capture, context=one.contexts[SECONDARY_CAPTURE]) == SUCCESS
        assert put(one, plain[4]) == SUCCESS
        assert put(one, long, pieces=30) == SUCCESS
        assert put(one, plain[5]) == SUCCESS
        assert put(one, longer, pieces=40) == OUT_OF_RESOURCES
        assert put(one, plain[6]) == SUCCESS
        assert put(one, plain[6]) == SUCCESS, "the same again is there already"
        one.send(bytes([RELEASE_RQ, 0, 0, 0, 0, 4, 0, 0, 0, 0]))
        assert one.hear()[0] == RELEASE_RP
        assert closes(one)
    assert node.kept("1.8.6") == sorted(item.dataset for item in (*plain, long))
    assert node.event("refused")["instance"] == mismatch.instance
    assert [node.event("stored", discarded=True)["instance"] for _ in range(2)] == [
        ours.instance,
        capture.instance,
    ]
    closed = node.event("closed", calling="MIXED")
    assert (closed["how"], closed["stored"], closed["refused"]) == ("released", 11, 2)


@pytest.mark.parametrize("how", ["lost", "aborted"])
def test_an_association_that_ends_amid_an_object_leaves_what_was_stored(node: Receiver, how: str) -> None:
    with peer(node, "GONE") as one:
        first = native(one, node, "1.8.7")
        half = b"".join(request(image("1.8.7", 2), 3))[:-1]
        if how == "aborted":
            half = bytes([ABORT, 0, 0, 0, 0, 4, 0, 0, 0, 0])
        one.send(*request(image("1.8.7", 1), 2), half)
        assert one.status() == (2, SUCCESS)
    closed = node.event("closed", calling="GONE")
    assert (closed["how"], closed["stored"]) == (how, 2)
    assert node.kept("1.8.7") == [first.dataset, image("1.8.7", 1).dataset]


def test_a_stop_aborts_the_associations_that_rest(node: Receiver) -> None:
    with ExitStack() as peers:
        opened = [peers.enter_context(peer(node)) for _ in range(4)]
        for number, one in enumerate(opened):
            native(one, node, f"1.8.8.{number}")
        node.process.stop()
        for one in opened:
            assert one.hear()[0] == ABORT
            assert closes(one)
    assert [node.event("closed")["how"] for _ in opened] == ["ended"] * 4
    assert node.event("ended")["code"] == 0


class Sender(threading.Thread):
    """Sends objects of one study until it is told that there will be no more."""

    def __init__(self, one: Peer, study: str) -> None:
        super().__init__()
        self._one = one
        self._study = study
        self.acknowledged: list[bytes] = []
        self.start()

    def run(self) -> None:
        with suppress(AssertionError, OSError):  # the abort, or the end behind it
            for number in range(100_000):
                item = image(self._study, number)
                if put(self._one, item) == SUCCESS:
                    self.acknowledged.append(item.dataset)


def test_a_stop_amid_objects_loses_none_that_was_acknowledged(node: Receiver) -> None:
    with ExitStack() as peers:
        senders = [Sender(peers.enter_context(peer(node)), f"1.8.9.{number}") for number in range(3)]
        for _ in range(60):
            node.event("stored")
        node.process.stop()
        for sender in senders:
            sender.join()
    told = sum(node.event("closed")["stored"] for _ in senders)
    assert node.event("ended")["code"] == 0
    kept = {number: node.kept(f"1.8.9.{number}") for number in range(3)}
    for number, sender in enumerate(senders):
        assert set(sender.acknowledged) <= set(kept[number])
    assert told == sum(len(one) for one in kept.values())


def is_writing(pid: int) -> bool:
    """Whether a process has a file open that has no name yet."""
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):
            if re.search(r"/archive/.*#\d+ \(deleted\)", str(descriptor.readlink())):
                return True
    return False


@pytest.mark.slow
def test_an_object_that_is_being_stored_when_the_stop_comes_is_answered_first(
    unjournaled: Receiver, tmp_path: Path
) -> None:
    """The disk takes longer than an association that is aborted would be waited for."""
    slow = "inject=fdatasync:delay_enter=3500000"
    with peer(unjournaled, "SLOW") as one:
        first, second = native(one, unjournaled, "1.8.10"), image("1.8.10", 1)
        with traced(unjournaled.process.pid, tmp_path / "log", "trace=fdatasync", slow):
            one.send(*request(second, 2))
            until(lambda: is_writing(unjournaled.process.pid), "it is being stored")
            unjournaled.process.stop()
        assert one.status() == (2, SUCCESS)
        assert one.hear()[0] == ABORT
    assert unjournaled.event("closed", calling="SLOW")["stored"] == 2
    assert unjournaled.kept("1.8.10") == sorted((first.dataset, second.dataset))


def test_an_object_whose_name_may_not_be_durable_is_refused_and_taken_when_it_comes_again(
    unjournaled: Receiver, tmp_path: Path
) -> None:
    with peer(unjournaled) as one:
        first, second = native(one, unjournaled, "1.8.11"), image("1.8.11", 1)
        with traced(unjournaled.process.pid, tmp_path / "log", "trace=fsync", "inject=fsync:error=EIO"):
            assert refusal(one, second) == (OUT_OF_RESOURCES, b""), "Python would have commented on it"
        assert unjournaled.event("postponed", study="1.8.11")["instance"] == second.instance
        refused = unjournaled.event("refused", instance=second.instance)
        assert (refused["status"], "not be durable" in refused["reason"]) == ("A700", True)
        assert put(one, second) == SUCCESS
        assert unjournaled.event("stored")["digest"] == second.digest
        assert put(one, image("1.8.11", 2)) == SUCCESS
    closed = unjournaled.event("closed")
    assert (closed["stored"], closed["refused"]) == (3, 1)
    assert unjournaled.kept("1.8.11") == sorted(item.dataset for item in (first, second, image("1.8.11", 2)))


def test_objects_that_the_disk_does_not_take_are_refused_and_leave_nothing(
    unjournaled: Receiver, tmp_path: Path
) -> None:
    with peer(unjournaled) as one:
        first = native(one, unjournaled, "1.8.12")
        with traced(
            unjournaled.process.pid, tmp_path / "log", "trace=fdatasync", "inject=fdatasync:error=EIO"
        ):
            for number in (1, 2):
                status, comment = refusal(one, image("1.8.12", number))
                assert (status, comment.startswith(b"archive cannot be written")) == (OUT_OF_RESOURCES, True)
        assert unjournaled.kept("1.8.12") == [first.dataset]
        assert not is_writing(unjournaled.process.pid)
        assert put(one, image("1.8.12", 1)) == SUCCESS
        assert put(one, image("1.8.12", 3)) == SUCCESS
    assert [unjournaled.event("refused")["instance"] for _ in range(2)] == ["1.8.12.1", "1.8.12.2"]
    assert unjournaled.event("closed")["stored"] == 3
    kept = (first, image("1.8.12", 1), image("1.8.12", 3))
    assert unjournaled.kept("1.8.12") == sorted(item.dataset for item in kept)


def test_who_falls_silent_is_aborted_and_who_says_a_little_now_and_then_is_not(tmp_path: Path) -> None:
    with (
        receiver(tmp_path / "archive", idle_timeout_s=IDLE_S) as node,
        peer(node, "SILENT") as silent,
        peer(node, "TALKING") as talking,
    ):
        native(silent, node, "1.8.13")
        native(talking, node, "1.8.14")
        said = b"".join(request(image("1.8.14", 1), 2))
        end = time.monotonic() + 2.5 * IDLE_S
        at = 0
        while time.monotonic() < end:  # the pause is what is tried here
            talking.send(said[at : at + 1])
            at += 1
            threading.Event().wait(IDLE_S / 5)
        talking.send(said[at:])
        assert talking.status() == (2, SUCCESS)
        assert silent.hear()[0] == ABORT
        assert closes(silent)
        assert node.event("closed")["calling"] == "SILENT"
