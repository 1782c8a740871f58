"""The upper layer as a peer meets it, PDU by PDU: every event that can come while data are exchanged (PS3.8 9.2)."""

import contextlib
import socket
import struct
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from pynetdicom import AE, build_context
from pynetdicom.association import Association

from dicom_node.receiver.framing import fragments
from dicom_node.receiver.store_command import StoreRequest, store_request
from tests.dicom_node.receiving import MR_IMAGE, WAIT_S, Receiver, Sent, receiver
from tests.dicom_node.test_receiver_hostile import p_data, wire

SUCCESS, OUT_OF_RESOURCES = 0x0000, 0xA700
AC, RJ, P_DATA, RELEASE_RQ, RELEASE_RP, ABORT = 0x02, 0x03, 0x04, 0x05, 0x06, 0x07
VERIFICATION = "1.2.840.10008.1.1"


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receiver]:
    with receiver(tmp_path_factory.mktemp("node") / "archive", max_object_mb=2) as running:
        yield running


class Peer:
    """An association that pynetdicom negotiated and then leaves to us, byte by byte."""

    def __init__(self, opened: Association) -> None:
        self.wire = wire(opened)
        self.wire.settimeout(WAIT_S)
        self.contexts = {str(one.abstract_syntax): one.context_id or 0 for one in opened.accepted_contexts}

    def send(self, *pdus: bytes) -> None:
        self.wire.sendall(b"".join(pdus))

    def hear(self) -> tuple[int, bytes]:
        """The next PDU: its type, and what follows its head; (0, b"") at the end."""
        head = self._read(6)
        return (head[0], self._read(int.from_bytes(head[2:], "big"))) if head else (0, b"")

    def _read(self, length: int) -> bytes:
        said = b""
        while len(said) < length and (more := self.wire.recv(length - len(said))):
            said += more
        return said

    def status(self) -> tuple[int, int]:
        """Message ID and status of the response that comes next, however many PDUs it takes."""
        command = b""
        while True:
            kind, body = self.hear()
            assert kind == P_DATA, (kind, body)
            for part in fragments(memoryview(b"\4\0" + struct.pack(">L", len(body)) + body)):
                command += part.value
                if part.is_last:
                    values = elements(command)
                    return int.from_bytes(values[0x0120], "little"), int.from_bytes(values[0x0900], "little")


def elements(command: bytes) -> dict[int, bytes]:
    found, at = {}, 0
    while at < len(command):
        _, number, length = struct.unpack_from("<HHL", command, at)
        found[number] = command[at + 8 : at + 8 + length]
        at += 8 + length
    return found


def command(field: int, message_id: int, sop_class: str, instance: str = "", data: bool = True) -> bytes:
    def one(number: int, value: bytes) -> bytes:
        value += b"\0" * (len(value) % 2)
        return struct.pack("<HHL", 0, number, len(value)) + value

    body = one(0x0002, sop_class.encode()) + one(0x0100, struct.pack("<H", field))
    body += one(0x0110, struct.pack("<H", message_id))
    body += one(0x0700, b"\0\0") if data else b""
    body += one(0x0800, b"\0\0" if data else b"\1\1")
    body += one(0x1000, instance.encode()) if instance else b""
    return one(0x0000, struct.pack("<L", len(body))) + body


def store(item: Sent, message_id: int, context: int = 1, pieces: int = 2) -> list[bytes]:
    """The PDUs of a C-STORE request: its command, and the data set in so many pieces."""
    size = -(-len(item.dataset) // pieces)
    cut = [item.dataset[begin : begin + size] for begin in range(0, len(item.dataset), size)]
    asked = command(1, message_id, item.sop_class, item.instance)
    data = [p_data(context, 0, piece) for piece in cut[:-1]] + [p_data(context, 2, cut[-1])]
    return [p_data(context, 3, asked), *data]


@contextlib.contextmanager
def peer(
    node: Receiver, calling: str = "PEER", longest_bytes: int = 16_382, also: tuple[str, ...] = ()
) -> Iterator[Peer]:
    """`also`: SOP classes for which it has a context, too."""
    ae = AE(calling)
    contexts = [build_context(MR_IMAGE, "1.2.840.10008.1.2.1"), build_context(VERIFICATION)]
    contexts += [build_context(sop_class, "1.2.840.10008.1.2.1") for sop_class in also]
    opened = ae.associate("127.0.0.1", node.port, contexts, ae_title="DICOMNODE", max_pdu=longest_bytes)
    assert opened.is_established
    opened._reactor_checkpoint.clear()
    opened.dul.kill_dul()  # pynetdicom lets go: what comes is for us to read
    opened.dul.join()
    try:
        yield Peer(opened)
    finally:
        opened._kill = True
        opened._reactor_checkpoint.set()
        opened.join()
        wire(opened).close()


def closes(one: Peer) -> bool:
    with contextlib.suppress(ConnectionResetError):
        return one.hear() == (0, b"")
    return True


def test_requests_sent_without_waiting_are_answered_in_order(node: Receiver) -> None:
    items = [Sent(study="1.5.1", instance=f"1.5.1.{number}") for number in range(9)]
    with peer(node) as one:
        one.send(*(pdu for number, item in enumerate(items) for pdu in store(item, number + 1)))
        assert [one.status() for _ in items] == [(number + 1, SUCCESS) for number in range(9)]
    assert node.kept("1.5.1") == sorted(item.dataset for item in items)


@pytest.mark.parametrize("step", [1, 7, 1000])
def test_the_network_may_cut_anywhere(node: Receiver, step: int) -> None:
    item = Sent(study=f"1.5.2.{step}", pixels=bytes(range(256)) * (1 if step == 1 else 40))
    said = b"".join(store(item, 5, pieces=3))
    with peer(node) as one:
        for begin in range(0, len(said), step):
            one.send(said[begin : begin + step])
        assert one.status() == (5, SUCCESS)
    assert node.kept(item.study) == [item.dataset]


def test_command_and_data_may_share_a_pdu_and_commands_may_be_cut(node: Receiver) -> None:
    whole, cut = Sent(study="1.5.3", instance="1.5.3.1"), Sent(study="1.5.3", instance="1.5.3.2")
    first = b"".join(pdu[6:] for pdu in store(whole, 1))
    asked = command(1, 2, MR_IMAGE, cut.instance)
    with peer(node) as one:
        one.send(struct.pack(">BBL", P_DATA, 0, len(first)) + first)
        assert one.status() == (1, SUCCESS)
        one.send(p_data(1, 1, asked[:30]), p_data(1, 3, asked[30:]), p_data(1, 2, cut.dataset))
        assert one.status() == (2, SUCCESS)
    assert node.kept("1.5.3") == sorted((whole.dataset, cut.dataset))


def test_echoes_between_objects_are_answered(node: Receiver) -> None:
    with peer(node) as one:
        for number in range(1, 7, 2):
            one.send(*store(Sent(study="1.5.4", instance=f"1.5.4.{number}"), number))
            assert one.status() == (number, SUCCESS)
            echo = command(0x30, number + 1, VERIFICATION, data=False)
            one.send(p_data(one.contexts[VERIFICATION], 3, echo))
            assert one.status() == (number + 1, SUCCESS)


def test_answers_keep_to_the_peers_longest_pdu(node: Receiver, tmp_path: Path) -> None:
    with peer(node, longest_bytes=40) as one:
        one.send(*store(Sent(study="1.5.5", pixels=bytes(2_200_000)), 3, pieces=20))
        assert one.status() == (3, OUT_OF_RESOURCES)
        one.send(*store(Sent(study="1.5.5"), 4))
        kind, body = one.hear()
        assert (kind, len(body) <= 40) == (P_DATA, True)


NEVER = {
    "an A-ASSOCIATE-RQ": bytes([1, 0, 0, 0, 0, 68, 0, 1]) + bytes(66),
    "an A-ASSOCIATE-AC": bytes([AC, 0, 0, 0, 0, 68, 0, 1]) + bytes(66),
    "an A-ASSOCIATE-RJ": bytes([RJ, 0, 0, 0, 0, 4, 0, 1, 1, 1]),
    "an A-RELEASE-RP": bytes([RELEASE_RP, 0, 0, 0, 0, 4, 0, 0, 0, 0]),
    "a PDU of no type": bytes([0x5A, 0, 0, 0, 0, 4, 0, 0, 0, 0]),
    "a P-DATA-TF without a fragment": bytes([P_DATA, 0, 0, 0, 0, 0]),
    "a fragment longer than its PDU": bytes([P_DATA, 0, 0, 0, 0, 6, 0, 0, 1, 0, 1, 2]),
}
NOT_AMID = {
    "a fragment of another context": p_data(3, 0, b"ab"),
    "another command": p_data(1, 3, command(1, 9, MR_IMAGE, "1.9")),
}


@pytest.mark.parametrize(
    ("other", "amid"),
    [(name, amid) for name in NEVER for amid in (False, True)] + [(name, True) for name in NOT_AMID],
)
def test_what_does_not_belong_here_is_answered_with_an_abort(node: Receiver, other: str, amid: bool) -> None:
    """Sta6 and Evt3, 4, 6, 13 or 19: AA-8, an A-ABORT by the provider, and the connection is closed.

    `amid`: in the middle of an object, else between two.
    """
    item = Sent(study="1.5.6")
    with peer(node, "STRANGE") as one:
        one.send(*(store(item, 1)[:2] if amid else ()), (NEVER | NOT_AMID)[other])
        kind, body = one.hear()
        assert (kind, body[2]) == (ABORT, 2)
        assert closes(one)
    assert node.event("closed", calling="STRANGE")["stored"] == 0
    assert not node.kept("1.5.6")


@pytest.mark.parametrize("amid", [False, True])
@pytest.mark.parametrize("ending", ["released", "aborted", "lost"])
def test_an_association_ends_as_its_peer_ends_it(node: Receiver, ending: str, amid: bool) -> None:
    """Sta6 and Evt12, 16 or 17, between two objects and in the middle of one."""
    calling = f"{ending}{amid}".upper()
    item = Sent(study="1.5.7")
    with peer(node, calling) as one:
        one.send(*(store(item, 1)[:2] if amid else ()))
        if ending == "lost":
            one.wire.shutdown(socket.SHUT_WR)
        else:
            one.send(bytes([RELEASE_RQ if ending == "released" else ABORT, 0, 0, 0, 0, 4, 0, 0, 0, 0]))
        if ending == "released":
            assert one.hear()[0] == RELEASE_RP
        assert closes(one)
    assert node.event("closed", calling=calling)["how"] == ending
    assert not node.kept("1.5.7")


def test_before_an_association_there_is_nothing_but_a_request(node: Receiver) -> None:
    """Sta2 and Evt10: AA-1, and the connection is closed."""
    with socket.create_connection(("127.0.0.1", node.port), WAIT_S) as stranger:
        stranger.sendall(p_data(1, 3, command(1, 1, MR_IMAGE, "1.2")))
        assert stranger.recv(1) == bytes([ABORT])


def test_peers_that_fall_silent_amid_an_object_keep_nobody_else_waiting(node: Receiver) -> None:
    """However many they are, and each of them resumes where it was."""
    items = [Sent(study="1.5.9", instance=f"1.5.9.{number}") for number in range(9)]
    with contextlib.ExitStack() as open_peers:
        peers = [open_peers.enter_context(peer(node)) for _ in items]
        said = [b"".join(store(item, 1)) for item in items]
        for one, whole in zip(peers[:-1], said[:-1], strict=True):
            one.send(whole[:-7])
        peers[-1].send(said[-1])
        assert peers[-1].status() == (1, SUCCESS)
        for one, whole in zip(peers[:-1], said[:-1], strict=True):
            one.send(whole[-7:])
            assert one.status() == (1, SUCCESS)
    assert node.kept("1.5.9") == sorted(item.dataset for item in items)


def test_an_open_association_that_rests_does_not_wake_anybody(node: Receiver) -> None:
    """Pynetdicom's own loops would wake a thousand times a second each."""
    with peer(node) as one:
        one.send(*store(Sent(study="1.5.8"), 1))
        assert one.status() == (1, SUCCESS)
        before = wakings(node)
        threading.Event().wait(0.5)
        assert wakings(node) - before < 100


def wakings(node: Receiver) -> int:
    """How often the receiver's threads have been put to sleep."""
    lines: list[str] = []
    for task in Path(f"/proc/{node.process.pid}/task").iterdir():
        with contextlib.suppress(FileNotFoundError):  # that of an association before, which has ended now
            lines += (task / "status").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("voluntary_ctxt"))


def test_the_commands_sent_here_are_the_ones_meant() -> None:
    assert store_request(command(1, 7, MR_IMAGE, "1.2.3")) == StoreRequest(
        7, MR_IMAGE.encode() + b"\0", b"1.2.3\0"
    )
    assert store_request(command(0x30, 7, VERIFICATION, data=False)) is None
