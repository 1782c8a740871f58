"""Objects over a socket that is ours alone: every answer reaches whoever asked, and every end is said."""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

import pytest

from dicom_node.config_sections import Destination
from dicom_node.delivery.exchange import Ended, Exchange
from dicom_node.delivery.line import Line, context
from dicom_node.delivery.storage_association import StorageAssociation
from dicom_node.receiver.framing import command_pdus, data_set_pdus, fragments, pdu_at
from dicom_node.receiver.store_command import (
    StoreRequest,
    request_command,
    store_answer,
    store_request,
    store_response,
)
from dicom_node.tls import TlsFiles
from tests.dicom_node.delivering import SC
from tests.dicom_node.receiving import receiver
from tests.dicom_node.storage_scp import storage_scp, write_object

ABORT, RELEASE_RQ, RELEASE_RP = (bytes([kind, 0, 0, 0, 0, 4, 0, 0, 0, 0]) for kind in (7, 5, 6))
WAIT_S = 30.0
LARGE = bytes(8_000_000)

Peer = Callable[[socket.socket], None]


@contextlib.contextmanager
def exchange(peer: Peer, timeout_s: float = WAIT_S) -> Iterator[Exchange]:
    """An exchange with a peer that does as it is told, then hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        ours = socket.create_connection(server.getsockname())
        theirs, _ = server.accept()

    def serve() -> None:
        with theirs, contextlib.suppress(OSError):
            peer(theirs)

    serving = threading.Thread(target=serve)
    serving.start()
    yield Exchange(ours, 16_384, timeout_s)
    ours.close()
    serving.join()


def store(one: Exchange, dataset: bytes = b"abcd") -> int:
    return one.store(1, SC, "1.2.3", BytesIO(dataset)).status


def answer(message_id: int, status: int = 0) -> bytes:
    request = StoreRequest(message_id, SC.encode() + b"\0", b"1.2.3\0")
    return command_pdus(1, store_response(request, status), 0)


def saying(*said: bytes) -> Peer:
    def peer(wire: socket.socket) -> None:
        wire.recv(1 << 16)
        wire.sendall(b"".join(said))
        while wire.recv(1 << 16):
            continue

    return peer


@pytest.mark.parametrize(
    ("said", "how"),
    [
        (ABORT, "aborted the association"),
        (RELEASE_RQ, "wanted to end the association"),
        (RELEASE_RP, "said something that is no answer"),
        (answer(2), "said something that is no answer"),
        (bytes([4, 0, 0, 0, 0, 0]), "said something that is no answer"),
        (bytes([4, 0, 255, 0, 0, 0]), "said something that is no answer"),
        (bytes([0x5A, 0, 0, 0, 0, 4, 0, 0, 0, 0]), "said something that is no answer"),
    ],
)
@pytest.mark.parametrize("dataset", [b"abcd", LARGE])
def test_what_is_no_answer_ends_the_association_and_is_said(said: bytes, how: str, dataset: bytes) -> None:
    with exchange(saying(said)) as one:
        with pytest.raises(Ended, match=how):
            store(one, dataset)
        assert not one.is_open()


@pytest.mark.parametrize("said", [b"", answer(1)[:20]])
def test_a_peer_that_hangs_up_or_is_silent_has_not_answered(said: bytes) -> None:
    def peer(wire: socket.socket) -> None:
        wire.recv(1 << 16)
        wire.sendall(said)

    with exchange(peer) as one, pytest.raises(Ended, match=r"hung up|was lost"):
        store(one)
    with exchange(saying(said), timeout_s=0.2) as one, pytest.raises(Ended, match=r"was silent for 0\.2 s"):
        store(one)


def test_a_peer_that_takes_nothing_more_is_left() -> None:
    left = threading.Event()

    def peer(wire: socket.socket) -> None:
        left.wait(WAIT_S)

    with exchange(peer, timeout_s=0.2) as one:
        with pytest.raises(Ended, match=r"took nothing more for 0\.2 s"):
            store(one, LARGE * 2)
        left.set()


def test_the_second_of_two_answers_is_not_taken_for_the_next_object() -> None:
    with exchange(saying(answer(1), answer(1))) as one:
        assert store(one) == 0
        with pytest.raises(Ended, match="no answer"):
            store(one)


def test_an_end_between_two_objects_is_seen_before_the_next_is_sent() -> None:
    with exchange(saying(answer(1), ABORT)) as one:
        assert store(one) == 0
        assert not one.is_open()


def test_a_file_that_cannot_be_read_to_its_end_is_no_object() -> None:
    class Broken(BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if self.tell() > 1_000_000:
                raise OSError("the disk is gone")
            return super().read(size)

    with exchange(saying()) as one:
        with pytest.raises(OSError, match="the disk is gone"):
            one.store(1, SC, "1.2.3", Broken(LARGE))
        assert not one.is_open()


@pytest.mark.parametrize("said", [(RELEASE_RP,), (RELEASE_RQ, RELEASE_RP), (answer(1), RELEASE_RP), (ABORT,)])
def test_a_release_ends_it_whatever_comes(said: tuple[bytes, ...]) -> None:
    with exchange(saying(*said)) as one:
        one.release()
        assert not one.is_open()


@pytest.mark.parametrize("longest", [0, 17, 16_384, 1 << 30])
@pytest.mark.parametrize("length", [0, 1, 15, 600_001])
def test_a_data_set_is_cut_to_the_peers_longest_pdu(length: int, longest: int) -> None:
    dataset = bytes(index % 251 for index in range(length))
    sent = memoryview(b"".join(data_set_pdus(3, BytesIO(dataset), longest)))
    at, found = 0, []
    while pdu := pdu_at(sent, at, len(sent)):
        assert pdu.end - at - 6 <= (longest or 1 << 17)
        found += fragments(sent[at : pdu.end])
        at = pdu.end
    assert b"".join(one.value for one in found) == dataset
    assert [one.is_last for one in found] == [False] * (len(found) - 1) + [True]
    assert not any(len(one.value) % 2 for one in found[:-1])


def test_a_request_and_an_answer_are_read_as_they_were_written() -> None:
    request = store_request(request_command(7, SC, "1.2.3"))
    assert request is not None
    assert (request.message_id, request.sop_class_uid, request.sop_instance_uid) == (7, SC, "1.2.3")
    assert store_answer(store_response(request, 0xA700, "full")) == (7, 0xA700, "full")
    assert store_answer(request_command(7, SC, "1.2.3")) is None


def test_nobody_else_is_there_to_read_once_the_association_is_ours(tmp_path: Path) -> None:
    with storage_scp() as scp:
        opened = Line(scp.settings, "DICOMNODE", 10.0, TlsFiles()).associate([context(SC)])
        ours = StorageAssociation(opened)
        assert not opened.is_alive()
        assert not opened.dul.is_alive()
        assert opened.dul.socket is None
        assert ours.store_file(write_object(tmp_path, SC, 1).path).status == 0
        ours.release()


def test_no_answer_of_hundreds_that_come_at_once_is_lost(tmp_path: Path) -> None:
    files = [write_object(tmp_path, SC, number).path for number in range(1, 11)]
    with receiver(tmp_path / "archive") as node:
        place = Destination(name="node", host="127.0.0.1", port=node.port, ae_title="DICOMNODE")
        ours = StorageAssociation(Line(place, "SENDER", WAIT_S, TlsFiles()).associate([context(SC)]))
        assert {ours.store_file(path).status for _ in range(40) for path in files} == {0}
        ours.release()
