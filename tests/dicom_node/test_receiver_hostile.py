"""Peers that do not speak DICOM, or not to the end: the receiver goes on, and keeps nothing of theirs."""

import contextlib
import json
import os
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from queue import Empty, Queue

import pytest
from pynetdicom.association import Association

from dicom_node.receiver.lobby import Lobby, introduced
from dicom_node.receiver.outbox import Outbox
from tests.dicom_node.receiving import WAIT_S, Receiver, Sent, association, receiver, send, store
from tests.peers.presence import until

SUCCESS, OUT_OF_RESOURCES = 0x0000, 0xA700
MEGABYTE = 1_000_000


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receiver]:
    with receiver(tmp_path_factory.mktemp("node") / "archive", max_object_mb=4) as running:
        yield running


def wire(opened: Association) -> socket.socket:
    """The socket below an association."""
    wrapped = opened.dul.socket
    assert wrapped is not None
    assert wrapped.socket is not None
    return wrapped.socket


def peak_memory_bytes(node: Receiver) -> int:
    status = Path(f"/proc/{node.process.pid}/status").read_text()
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


def threads_of(node: Receiver) -> int:
    return len(list(Path(f"/proc/{node.process.pid}/task").iterdir()))


def closed(connection: socket.socket) -> bool:
    """Whether the other end closes without a word, when it does; unread bytes make that a reset."""
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True


_HOLDING = """
import socket, sys
port, number = int(sys.argv[1]), int(sys.argv[2])
openings = b"", b"\\x01\\0\\0\\0\\1\\0half of", b"\\x16\\3\\1\\1\\0half of"
held = []
for turn in range(number):
    held.append(socket.create_connection(("127.0.0.1", port), 30))
    held[-1].sendall(openings[turn % 3])
print(held[0].recv(1) == b"", flush=True)
sys.stdin.read()
"""


@contextlib.contextmanager
def held_connections(port: int, number: int) -> Iterator[bool]:
    """Connections held open by another process; whether the first of them, which says nothing, was closed."""
    command = [sys.executable, "-c", _HOLDING, str(port), str(number)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holding:
        assert holding.stdin is not None
        assert holding.stdout is not None
        yield holding.stdout.readline() == "True\n"
        holding.stdin.close()


def p_data(context_id: int, control: int, fragment: bytes) -> bytes:
    """One P-DATA-TF with one fragment (PS3.8 9.3.5)."""
    value = struct.pack(">LBB", len(fragment) + 2, context_id, control) + fragment
    return struct.pack(">BBL", 0x04, 0, len(value)) + value


@pytest.mark.parametrize(
    "noise",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        bytes(range(256)) * 40,
        b"\x01\0\0\0\0\x44" + bytes(68),
        b"\x07\0\0\0\0\x04" + bytes(4),
    ],
)
def test_who_does_not_speak_dicom_is_disconnected(node: Receiver, tmp_path: Path, noise: bytes) -> None:
    with socket.create_connection(("127.0.0.1", node.port), WAIT_S) as stranger:
        stranger.sendall(noise)
        stranger.shutdown(socket.SHUT_WR)
        with contextlib.suppress(ConnectionResetError):
            while stranger.recv(4096):
                continue
    assert send(node.port, Sent(), tmp_path).Status == SUCCESS


@pytest.mark.parametrize(
    "noise",
    [b"\xde\xad\xbe\xef" * 100, b"\x04\0\xff\xff\xff\xff" + bytes(5000), p_data(1, 3, b"no command set")],
)
def test_garbage_inside_an_association_ends_that_association_alone(
    node: Receiver, tmp_path: Path, noise: bytes
) -> None:
    with association(node.port, Sent(), calling="GOOD") as good:
        with association(node.port, Sent(), calling="BAD") as bad:
            wire(bad).sendall(noise)
            node.event("closed", calling="BAD")
        assert store(good, Sent(), tmp_path).Status == SUCCESS


def test_a_peer_that_vanishes_in_the_middle_of_an_object_leaves_nothing(node: Receiver) -> None:
    with association(node.port, Sent(), calling="GONE") as opened:
        wire(opened).sendall(p_data(1, 0, bytes(60_000)))
        wire(opened).shutdown(socket.SHUT_RDWR)
        assert node.event("closed", calling="GONE")["how"] == "lost"
    assert not list(node.archive.root.rglob(".tmp-*"))


def test_a_peer_that_aborts_is_said_to_have(node: Receiver) -> None:
    with association(node.port, Sent(), calling="ABORTER") as opened:
        opened.abort()
    assert node.event("closed", calling="ABORTER")["how"] == "aborted"


def test_a_peer_that_falls_silent_is_disconnected(tmp_path: Path) -> None:
    begun = {"NOTHING": b"", "HEAD": b"\x04\0\0\0", "BODY": b"\x04\0\0\1\0\0only the beginning of a PDU"}
    with receiver(tmp_path / "archive", idle_timeout_s=0.5) as node, contextlib.ExitStack() as peers:
        for name, beginning in begun.items():
            opened = peers.enter_context(association(node.port, Sent(), calling=name))
            wire(opened).sendall(beginning)
        closed = {event["calling"]: event["how"] for event in (node.event("closed") for _ in begun)}
    assert closed.keys() == begun.keys()
    assert set(closed.values()) <= {"ended", "lost"}


def test_who_connects_and_says_nothing_takes_nobodys_place(tmp_path: Path) -> None:
    with receiver(tmp_path / "archive", max_associations=2) as node:
        idle = threads_of(node)
        for _ in range(10):
            socket.create_connection(("127.0.0.1", node.port), WAIT_S).close()
        until(lambda: threads_of(node) <= idle, "the probes' threads are gone")
        assert send(node.port, Sent(), tmp_path).Status == SUCCESS


def test_a_huge_object_is_refused_without_being_held(node: Receiver, tmp_path: Path) -> None:
    send(node.port, Sent(pixels=bytes(3 * MEGABYTE)), tmp_path)
    before = peak_memory_bytes(node)
    huge, whole = Sent(pixels=bytes(120 * MEGABYTE)), Sent(instance="1.9")
    with association(node.port, huge) as opened:
        answer = store(opened, huge, tmp_path)
        assert answer.Status == OUT_OF_RESOURCES
        assert answer.ErrorComment == "larger than 4 MB (receive.max_object_mb)"
        assert store(opened, whole, tmp_path).Status == SUCCESS
    assert peak_memory_bytes(node) - before < 20 * MEGABYTE


def test_many_objects_begun_at_once_do_not_fill_the_memory(node: Receiver, tmp_path: Path) -> None:
    """16 times 3.9 MB are begun and none is finished; together they may hold 8 MB.

    The rest of the growth is threads and socket buffers; unbounded, the 62 MB sent would come on top of it.
    """
    item = Sent(instance="1.5")
    before = peak_memory_bytes(node)
    with contextlib.ExitStack() as peers:
        opened = [peers.enter_context(association(node.port, item, calling="CROWD")) for _ in range(16)]
        for peer in opened:
            for _ in range(39):
                wire(peer).sendall(p_data(1, 0, bytes(100_000)))
        for peer in opened:
            peer.abort()
        for _ in opened:
            node.event("closed", calling="CROWD")
    assert peak_memory_bytes(node) - before < 50 * MEGABYTE
    assert send(node.port, item, tmp_path).Status == SUCCESS


def test_an_endless_command_is_cut_off(node: Receiver) -> None:
    with association(node.port, Sent(), calling="ENDLESS") as opened:
        with contextlib.suppress(OSError):
            for _ in range(40):
                wire(opened).sendall(p_data(1, 1, bytes(60_000)))
        assert node.event("closed", calling="ENDLESS")["how"] == "ended"


def test_a_thousand_connections_held_open_keep_no_sender_waiting(tmp_path: Path) -> None:
    """A third say nothing, a third begin an A-ASSOCIATE-RQ, a third a TLS record, and none goes on."""
    with receiver(tmp_path / "archive") as node:
        memory, threads = peak_memory_bytes(node), threads_of(node)
        with held_connections(node.port, 1000) as first_is_closed:
            assert first_is_closed, "the one that waited longest had to leave"
            for number in range(20):
                assert send(node.port, Sent(instance=f"1.2.{number}"), tmp_path).Status == SUCCESS
            assert peak_memory_bytes(node) - memory < 20 * MEGABYTE
            assert threads_of(node) - threads < 10
        assert len(node.kept("1.2.3")) == 20


def test_who_says_nothing_or_only_half_is_shown_out_and_who_speaks_is_let_in() -> None:
    let_in: Queue[socket.socket] = Queue()
    lobby = Lobby(lambda connection, _: let_in.put(connection), lambda: True, patience_s=0.2)
    lobby.start()
    try:
        for words, welcome in ((b"", False), (b"\x01\0\0\0\0\x08half", False), (b"\x01\0\0\0\0\1!", True)):
            ours, theirs = socket.socketpair()
            theirs.settimeout(WAIT_S)
            with theirs:
                theirs.sendall(words)
                lobby.enter(ours, ("peer", 1))
                if welcome:
                    with let_in.get(timeout=WAIT_S) as connection:
                        assert connection.recv(16) == words
                else:
                    assert closed(theirs)
        assert let_in.empty()
    finally:
        lobby.close()


def test_a_full_house_lets_speakers_wait_until_there_is_room() -> None:
    let_in: Queue[socket.socket] = Queue()
    room: list[bool] = []
    lobby = Lobby(lambda connection, _: let_in.put(connection), lambda: bool(room))
    lobby.start()
    ours, theirs = socket.socketpair()
    with theirs:
        theirs.sendall(b"\x01\0\0\0\0\1!")
        lobby.enter(ours, ("peer", 1))
        with pytest.raises(Empty):
            let_in.get(timeout=0.3)
        room.append(True)
        let_in.get(timeout=WAIT_S).close()
    lobby.close()


@pytest.mark.parametrize("length", [5, 6, 7, 200])
def test_a_first_message_counts_when_it_is_whole(length: int) -> None:
    request = b"\x01\0" + struct.pack(">L", length) + bytes(length)
    record = b"\x16\3\1" + struct.pack(">H", length) + bytes(length)
    for message in (request, record):
        assert [introduced(message[:end]) for end in (1, 4, len(message) - 1)] == [False] * 3
        assert introduced(message)
    assert introduced(b"GET / HTTP/1.0")
    assert introduced(b"\x01\0\xff\xff\xff\xff" + bytes(16_384))


def test_a_reader_who_does_not_read_stalls_nobody_and_learns_what_he_missed() -> None:
    read, write = os.pipe()
    outbox = Outbox(write, limit=10)
    for _ in range(2000):
        outbox.put("stored", path="x" * 1000)
    outbox.put("closed", association="last")
    events = []
    with os.fdopen(read, "rb") as reader:
        while not events or events[-1]["event"] != "closed":
            events.append(json.loads(reader.readline()))
    outbox.close(WAIT_S)
    os.close(write)
    missed = sum(event["count"] for event in events if event["event"] == "missed")
    assert missed > 0
    assert sum(event["event"] == "stored" for event in events) + missed == 2000
