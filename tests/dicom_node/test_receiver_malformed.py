"""PDUs and messages that break the rules, one by one: each ends its own association at most, and in time."""

import struct
import threading
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydicom.uid import DeflatedExplicitVRLittleEndian

from tests.dicom_node.receiving import MR_IMAGE, Receiver, Sent, association, element, receiver, send, store
from tests.dicom_node.test_receiver_hostile import MEGABYTE, p_data, peak_memory_bytes, threads_of
from tests.fuzz.conversations import association_request, conversations
from tests.fuzz.elements import encoded, nested
from tests.fuzz.peer import (
    ABORT,
    ACCEPTED,
    DATA,
    GONE,
    RELEASE,
    RELEASE_RP,
    associated,
    connected,
    pdu,
)
from tests.fuzz.streams import Item, parsed
from tests.fuzz.streams import encoded as wire_bytes
from tests.peers.presence import until

SUCCESS, CANNOT_UNDERSTAND = 0x0000, 0xC000
MR_CONTEXT = 3
_STORE = wire_bytes(conversations()[0])


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receiver]:
    with receiver(tmp_path_factory.mktemp("node") / "archive", max_object_mb=20) as running:
        yield running


@pytest.fixture(autouse=True)
def _unharmed(node: Receiver, tmp_path: Path) -> Iterator[None]:
    """After each of them the same process serves, and nothing of them is left in it."""
    pid, idle = node.process.pid, threads_of(node)
    yield
    assert send(node.port, Sent(), tmp_path).Status == SUCCESS
    assert (node.process.pid, node.process.alive) == (pid, True)
    until(lambda: threads_of(node) <= idle, "the association's threads are gone")


def many_contexts(number: int, *, bare: bool) -> bytes:
    """An A-ASSOCIATE-RQ with so many presentation contexts; their odd numbers begin anew after 255."""
    request = parsed(association_request())
    whole = request.items[1]
    assert whole.kind == 0x20
    many: list[Item] = [
        Item(0x20, struct.pack(">Bxxx", 2 * index % 256 + 1), [] if bare else whole.inner)
        for index in range(number)
    ]
    request.parts[1:1] = many  # type: ignore[list-item]
    return request.encoded()


@pytest.mark.parametrize(("number", "bare"), [(65_535, False), (65_535, True), (15_000, False)])
def test_65535_presentation_contexts_are_one_answer_and_little_memory(
    node: Receiver, number: int, bare: bool
) -> None:
    """All of them are more than a PDU may hold; without syntaxes, or fewer, they come to be decoded."""
    before = peak_memory_bytes(node)
    request = many_contexts(number, bare=bare)
    with connected(node.port) as peer:
        peer.say(request)
        assert peer.hear() in (ACCEPTED, ABORT, GONE)
    assert peak_memory_bytes(node) - before < 150 * MEGABYTE


@pytest.mark.parametrize("kind", [1, 2, 3, 4, 5, 6, 7])
@pytest.mark.parametrize("length", [0, 0xFFFFFFFF])
def test_a_pdu_without_a_body_or_with_one_of_4_gib_ends_its_association(
    node: Receiver, kind: int, length: int
) -> None:
    with associated(node.port) as peer:
        peer.say(pdu(kind, b"", length))
        assert peer.kinds() in ([], [ABORT], [RELEASE_RP])


@pytest.mark.parametrize("kind", [0x00, 0x08, 0x47, 0xFF])
def test_an_unknown_pdu_is_answered_with_an_abort(node: Receiver, kind: int) -> None:
    with associated(node.port) as peer:
        peer.say(pdu(kind, bytes(10)))
        assert peer.hear() == ABORT


@pytest.mark.parametrize("excess", [1, 2, 1000, 0x7FFFFFFF])
def test_a_value_longer_than_its_pdu_is_answered_with_an_abort(node: Receiver, excess: int) -> None:
    with associated(node.port) as peer:
        peer.say(pdu(4, struct.pack(">LBB", 2 + 8 + excess, MR_CONTEXT, 3) + bytes(8)))
        assert peer.hear() == ABORT


@pytest.mark.parametrize("early", [_STORE, RELEASE, pdu(6, bytes(4)), pdu(2, bytes(68)), pdu(3, bytes(4))])
def test_nothing_but_a_request_opens_an_association(node: Receiver, early: bytes) -> None:
    with connected(node.port) as peer:
        peer.say(early)
        assert peer.kinds() in ([], [ABORT])


def test_a_second_request_within_an_association_ends_it(node: Receiver) -> None:
    with associated(node.port) as peer:
        peer.say(association_request())
        assert peer.kinds() == [ABORT]


COMMANDS = {
    "nothing": b"",
    "no command field": struct.pack("<HHLH", 0, 0x0110, 2, 1),
    "an unknown command": struct.pack("<HHLH", 0, 0x0100, 2, 0x9999),
    "a command field of three bytes": struct.pack("<HHL", 0, 0x0100, 3) + b"\1\0\0",
    "an element that claims 4 GiB": struct.pack("<HHL", 0, 0x0002, 0xFFFFFFFE) + b"1.2",
    "an element of undefined length": struct.pack("<HHL", 0, 0x0002, 0xFFFFFFFF) + b"1.2",
    "elements of a data set": element(8, 0x16, b"UI", b"1.2") + element(0x10, 0x10, b"PN", b"X"),
    "2,000 command fields": struct.pack("<HHLH", 0, 0x0100, 2, 1) * 2000,
    "a data set and no UIDs": struct.pack("<HHLHHHLH", 0, 0x0100, 2, 1, 0, 0x0800, 2, 0),
}


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_a_command_set_that_is_none_ends_its_association_or_is_answered(
    node: Receiver, command: bytes
) -> None:
    with associated(node.port) as peer:
        peer.say(p_data(MR_CONTEXT, 3, command) + p_data(MR_CONTEXT, 2, b"data") + RELEASE)
        assert peer.kinds() == [ABORT]


def test_no_abort_is_overtaken_by_the_end_of_its_connection(node: Receiver) -> None:
    words = COMMANDS["elements of a data set"]
    for _ in range(150):
        with associated(node.port) as peer:
            peer.say(p_data(MR_CONTEXT, 3, words) + p_data(MR_CONTEXT, 2, b"data") + RELEASE)
            assert peer.kinds() == [ABORT]


def test_an_object_without_a_name_is_not_met_with_silence(node: Receiver) -> None:
    with associated(node.port) as peer:
        assert peer.store(MR_CONTEXT, MR_IMAGE, "", Sent().dataset) == GONE


def test_an_object_left_unfinished_by_a_release_is_not_kept(node: Receiver) -> None:
    with associated(node.port) as peer:
        peer.say(wire_bytes(conversations()[0][:1]) + p_data(MR_CONTEXT, 0, bytes(500)) + RELEASE)
        assert peer.kinds() in ([RELEASE_RP], [ABORT])
    assert node.event("closed", calling="FUZZ")["stored"] == 0


@pytest.mark.parametrize("again", [RELEASE, _STORE, pdu(6, bytes(4))])
def test_whoever_goes_on_after_its_release_is_released_or_aborted(node: Receiver, again: bytes) -> None:
    with associated(node.port) as peer:
        peer.say(RELEASE + again)
        assert peer.kinds()[:1] in ([RELEASE_RP], [ABORT])


def test_a_release_that_nobody_asked_for_ends_the_association(node: Receiver) -> None:
    with associated(node.port) as peer:
        peer.say(pdu(6, bytes(4)))
        assert peer.kinds() == [ABORT]


def test_a_peer_that_closes_its_half_still_gets_its_answers(node: Receiver) -> None:
    with connected(node.port) as peer:
        peer.say(association_request())
        assert peer.hear() == ACCEPTED
        peer.say(_STORE)
        peer.say_no_more()
        assert peer.status() == SUCCESS
        assert peer.kinds() in ([], [ABORT])


def test_a_flood_of_reports_that_nobody_expects_takes_no_thread_each(node: Receiver) -> None:
    report = wire_bytes(next(one for one in conversations() if one[0].values[0].context_id == 13))
    with associated(node.port) as peer:
        before = threads_of(node)
        peer.say(report * 500)
        most = max(threads_of(node) for _ in range(200))
        peer.say(RELEASE)
        assert set(peer.kinds()) <= {DATA, RELEASE_RP, ABORT}
    assert most - before < 50


@pytest.mark.parametrize("depth", [100, 10_000])
def test_nested_sequences_are_kept_or_refused_and_the_association_goes_on(
    node: Receiver, tmp_path: Path, depth: int
) -> None:
    deep = Sent(instance=f"1.2.{depth}", extra=encoded([nested(depth)]))
    with association(node.port, deep) as opened:
        assert store(opened, deep, tmp_path).Status == (SUCCESS if depth == 100 else CANNOT_UNDERSTAND)
        assert store(opened, Sent(instance="1.2.5"), tmp_path).Status == SUCCESS


def deflated(unpacked_mb: int) -> Sent:
    """A whole image that unpacks to so much, mostly a private value of zeros."""
    zeros = struct.pack("<HH2sHL", 9, 0x1001, b"OB", 0, unpacked_mb * MEGABYTE) + bytes(
        unpacked_mb * MEGABYTE
    )
    packer = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    body = packer.compress(Sent(extra=zeros).dataset) + packer.flush()
    return Sent(body=body, syntax=DeflatedExplicitVRLittleEndian)


def test_a_deflate_bomb_is_refused_and_several_at_once_take_the_room_of_one(
    node: Receiver, tmp_path: Path
) -> None:
    before = peak_memory_bytes(node)
    bomb, fitting = deflated(100), deflated(19)
    assert send(node.port, bomb, tmp_path).Status == CANNOT_UNDERSTAND
    statuses: list[int] = []

    def once(number: int) -> None:
        folder = tmp_path / str(number)
        folder.mkdir()
        statuses.append(send(node.port, fitting, folder).Status)

    senders = [threading.Thread(target=once, args=(number,)) for number in range(6)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    assert statuses == [SUCCESS] * 6
    assert peak_memory_bytes(node) - before < 60 * MEGABYTE
