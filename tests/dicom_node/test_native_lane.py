"""The lane in C, alone: what is plain is stored and answered to the byte as in Python, all else stays as it came."""

import os
import select
import socket
import struct
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from dicom_node.archive.layout import file_path, study_folder
from dicom_node.archive.part10 import Origin, around, part10_head
from dicom_node.receiver.framing import command_pdus
from dicom_node.receiver.store_command import StoreRequest, store_response
from dicom_node.receiver.storing import OUR_MODEL_NAME
from dicom_node.receiver.wire import Bell
from tests.dicom_node.one_association import OneAssociation
from tests.dicom_node.promises import Promises
from tests.dicom_node.receiving import MR_IMAGE, SECONDARY_CAPTURE, Sent, element
from tests.dicom_node.test_reactor import RELEASE_RQ, VERIFICATION, command, store
from tests.dicom_node.test_receiver_hostile import p_data
from tests.peers.presence import until

pytestmark = pytest.mark.usefixtures("native_part")

try:
    from dicom_node.receiver import _native
except ImportError:  # not built here
    _native = None  # type: ignore[assignment]

STUDY = "1.7.1"
CALLING = "SENDER"
EXPLICIT, IMPLICIT, NOT_ALLOWED = 1, 3, 5
SYNTAXES = {EXPLICIT: ExplicitVRLittleEndian, IMPLICIT: ImplicitVRLittleEndian}
SUCCESS = 0x0000
LONGEST = 1 << 20
MOST_RECORDS = 64
MOST_FRAGMENTS = 64
LONG_MS = 10_000
_SMALLEST = 1  # the kernel makes it a few kilobytes


class Native:
    """A lane on one end of a connection, the peer's end of it, and the folder of the study that it follows."""

    def __init__(
        self,
        root: Path,
        longest_bytes: int = LONGEST,
        reserve_bytes: int = 0,
        journal: "_native.Journal | None" = None,
    ) -> None:
        self.root = root
        self.home = root / study_folder(STUDY)
        self.home.mkdir(parents=True, exist_ok=True)
        self.bell = Bell()
        self.peer, self.near = self._connected()
        self.peer.settimeout(LONG_MS / 1000)
        self.lane = _native.Lane(
            self.near.fileno(),
            self.bell.fileno(),
            longest_bytes,
            reserve_bytes,
            OUR_MODEL_NAME.encode(),
            journal,
        )
        for context, syntax in SYNTAXES.items():
            before, behind = around(MR_IMAGE, syntax, CALLING)
            self.lane.allow(context, context == IMPLICIT, MR_IMAGE.encode(), before, behind)
        self.follow(self.home)

    def _connected(self) -> tuple[socket.socket, socket.socket]:
        return socket.socketpair()

    def close(self) -> None:
        self.peer.close()
        self.near.close()
        self.bell.close()

    def follow(self, folder: Path) -> None:
        self.lane.follow(STUDY.encode(), bytes(folder), study_folder(STUDY).encode())

    def serve(self, patience_ms: int = 0) -> tuple[int, bool, list[tuple[str, str, str, int]]]:
        return self.lane.serve(patience_ms, 0)

    def files(self) -> dict[str, bytes]:
        """What lies in the archive: paths and contents."""
        found = (path for path in self.root.glob("??/**/*") if path.is_file())
        return {str(path.relative_to(self.root)): path.read_bytes() for path in found}

    def answered(self) -> bytes:
        """What has been answered so far."""
        answers = b""
        while select.select([self.peer], [], [], 0)[0]:
            answers += self.peer.recv(65_536)
        return answers


class Narrow(Native):
    """One whose peer has hardly any room for what it does not read."""

    def _connected(self) -> tuple[socket.socket, socket.socket]:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            peer = socket.socket()
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _SMALLEST)
            peer.connect(listener.getsockname())
            near, _ = listener.accept()
        near.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SMALLEST)
        return peer, near


@pytest.fixture(params=["its file first", "the journal first"])
def native(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Native]:
    """What is answered, told and filed is the same, whether there is a journal or not."""
    with ExitStack() as opened:
        journal = None
        if request.param == "the journal first":
            journal = opened.enter_context(closing(Promises(tmp_path))).journal
        yield opened.enter_context(closing(Native(tmp_path, journal=journal)))


@pytest.fixture
def unjournaled(tmp_path: Path) -> Iterator[Native]:
    with closing(Native(tmp_path)) as native:
        yield native


def image(number: int = 1, *, pixels: bytes = b"pixels", extra: bytes = b"") -> Sent:
    """All with UIDs of the same length."""
    return Sent(study=STUDY, instance=f"1.7.1.{number:04}", pixels=pixels, extra=extra)


def in_implicit(item: Sent) -> Sent:
    """The same object in Implicit VR Little Endian."""

    def one(group: int, number: int, value: bytes) -> bytes:
        value += b"\0" * (len(value) % 2)
        return struct.pack("<HHL", group, number, len(value)) + value

    body = one(0x0008, 0x0016, item.sop_class.encode()) + one(0x0008, 0x0018, item.instance.encode())
    body += one(0x0020, 0x000D, item.study.encode()) + one(0x7FE0, 0x0010, item.pixels)
    return replace(item, syntax=ImplicitVRLittleEndian, body=body)


def said(item: Sent, message_id: int = 1, context: int = EXPLICIT, pieces: int = 1) -> bytes:
    """The whole request as it is sent."""
    return b"".join(store(item, message_id, context, pieces))


def padded(uid: str) -> bytes:
    return uid.encode() + b"\0" * (len(uid) % 2)


def answer(item: Sent, message_id: int = 1, context: int = EXPLICIT) -> bytes:
    """What Python answers to it."""
    request = StoreRequest(message_id, padded(item.sop_class), padded(item.instance))
    return command_pdus(context, store_response(request, SUCCESS), 0)


def record(item: Sent) -> tuple[str, str, str, int]:
    name = file_path(STUDY, item.instance, item.digest, ".dcm").rpartition("/")[2]
    return item.instance, name, item.digest, _native.STORED


def files_of(*items: Sent) -> dict[str, bytes]:
    """What Python would have in the archive."""
    found = {}
    for item in items:
        head = part10_head(Origin(item.sop_class, item.instance, item.syntax, CALLING))
        found[file_path(STUDY, item.instance, item.digest, ".dcm")] = head + item.dataset
    return found


@pytest.mark.parametrize("pieces", [1, 2, MOST_FRAGMENTS])
@pytest.mark.parametrize("pixels", [b"", b"odd", bytes(range(256)) * 1500])
@pytest.mark.parametrize("context", [EXPLICIT, IMPLICIT])
def test_an_object_is_stored_answered_and_recorded_as_python_does_it(
    native: Native, context: int, pixels: bytes, pieces: int
) -> None:
    item = image(pixels=pixels)
    item = in_implicit(item) if context == IMPLICIT else item
    pieces = pieces if len(pixels) > 1000 else 1  # the header lies in the first
    sending = threading.Thread(target=native.peer.sendall, args=(said(item, 7, context, pieces),))
    sending.start()
    records: list[tuple[str, str, str, int]] = []
    while not records:
        why, heard, records = native.serve(LONG_MS)
        assert (why, heard) == (_native.PAUSE, True)
    sending.join()
    assert records == [record(item)]
    assert native.files() == files_of(item)
    assert native.answered() == answer(item, 7, context)
    assert native.lane.rest() == b""


def test_an_object_without_pixel_data_and_one_with_more_behind_it_are_stored(native: Native) -> None:
    without = replace(image(1), body=image(1).dataset[: -len(element(0x7FE0, 0x0010, b"OW", b"pixels"))])
    behind = replace(image(2), body=image(2).dataset + element(0xFFFC, 0xFFFC, b"OB", bytes(8)))
    native.peer.sendall(said(without) + said(behind))
    assert native.serve()[2] == [record(without), record(behind)]
    assert native.files() == files_of(without, behind)


def test_command_and_data_may_share_a_pdu(native: Native) -> None:
    body = b"".join(pdu[6:] for pdu in store(image(), 1, EXPLICIT, 1))
    native.peer.sendall(struct.pack(">BBL", 4, 0, len(body)) + body)
    assert native.serve()[2] == [record(image())]
    assert native.answered() == answer(image())


def test_the_network_may_cut_a_request_at_every_byte(native: Native) -> None:
    for cut in range(1, len(said(image()))):
        item = image(cut)
        whole = said(item, cut)
        native.peer.sendall(whole[:cut])
        assert native.serve() == (_native.PAUSE, True, [])
        native.peer.sendall(whole[cut:])
        assert native.serve() == (_native.PAUSE, True, [record(item)])
        assert native.answered() == answer(item, cut)
    assert native.files() == files_of(*(image(cut) for cut in range(1, len(said(image())))))


def test_requests_sent_without_waiting_are_served_so_many_at_a_time(native: Native) -> None:
    items = [image(number) for number in range(2 * MOST_RECORDS + 3)]
    native.peer.sendall(b"".join(said(item, number) for number, item in enumerate(items)))
    for begin in range(0, len(items), MOST_RECORDS):
        batch = list(enumerate(items))[begin : begin + MOST_RECORDS]
        why, _, records = native.serve()
        assert (why, records) == (_native.PAUSE, [record(item) for _, item in batch])
        assert native.answered() == b"".join(answer(item, number) for number, item in batch)
    assert native.files() == files_of(*items)


def asking(sop_class: bytes, instance: bytes, message_id: int = 1) -> bytes:
    """A C-STORE-RQ with these values to the byte."""
    values = {
        0x0002: sop_class,
        0x0100: b"\1\0",
        0x0110: struct.pack("<H", message_id),
        0x0800: b"\0\0",
        0x1000: instance,
    }
    return b"".join(struct.pack("<HHL", 0, number, len(value)) + value for number, value in values.items())


@pytest.mark.parametrize(
    "instance",
    [b"1.7.1.5", b"1.7.1.55", b"1.7.1.5\0", b"1.7.1.5 ", b" 1.7.1.5\0 \0", b"1" * 256],
    ids=["odd", "even", "NUL", "space", "everywhere", "longest"],
)
def test_uids_are_answered_as_they_came_and_filed_without_their_padding(
    native: Native, instance: bytes
) -> None:
    bare = instance.strip(b"\0 ").decode()
    item = Sent(study=STUDY, instance=bare)
    sop_class = MR_IMAGE.encode() + b" "
    asked = asking(sop_class, instance, 0x1234)
    native.peer.sendall(p_data(EXPLICIT, 3, asked) + p_data(EXPLICIT, 2, item.dataset))
    assert native.serve()[2] == [record(item)]
    response = store_response(StoreRequest(0x1234, sop_class, instance), SUCCESS)
    assert native.answered() == command_pdus(EXPLICIT, response, 0)
    assert native.files() == files_of(item)


def of_body(*parts: bytes, first: int | None = None) -> bytes:
    """A request for an object of these elements; `first`: so many bytes of them in the first fragment."""
    body = b"".join(parts)
    cut = len(body) if first is None else first
    data = p_data(EXPLICIT, 0, body[:cut]) + p_data(EXPLICIT, 2, body[cut:])
    return ASKED + (data if first is not None else p_data(EXPLICIT, 2, body))


def with_command(asked: bytes) -> bytes:
    return p_data(EXPLICIT, 3, asked) + p_data(EXPLICIT, 2, image().dataset)


def of_pdu(*fragments: bytes) -> bytes:
    body = b"".join(fragments)
    return struct.pack(">BBL", 4, 0, len(body)) + body


def about(uid: bytes) -> bytes:
    """A request for an object with this SOP Instance UID, in the command as in the data set."""
    body = CLASS + element(0x0008, 0x0018, b"UI", uid) + STUDY_UID + PIXELS
    return p_data(EXPLICIT, 3, asking(MR_IMAGE.encode(), uid)) + p_data(EXPLICIT, 2, body)


COMMAND = command(1, 1, MR_IMAGE, image().instance)
ASKED = p_data(EXPLICIT, 3, COMMAND)
DATA = image().dataset
IDENTITY = (
    element(0x0008, 0x0016, b"UI", MR_IMAGE.encode()),
    element(0x0008, 0x0018, b"UI", image().instance.encode()),
    element(0x0020, 0x000D, b"UI", STUDY.encode()),
    element(0x7FE0, 0x0010, b"OW", b"pixels"),
)
CLASS, INSTANCE, STUDY_UID, PIXELS = IDENTITY
OF_UNDEFINED_LENGTH = b"SQ\0\0\xff\xff\xff\xff\xfe\xff\xdd\xe0\0\0\0\0"
ENCAPSULATED = b"\xe0\x7f\x10\0OB\0\0\xff\xff\xff\xff\xfe\xff\0\xe0\0\0\0\0\xfe\xff\xdd\xe0\0\0\0\0"
OURS = element(0x0008, 0x1090, b"LO", OUR_MODEL_NAME.encode())

NOT_PLAIN = {
    "another study": said(replace(image(), study="1.7.2")),
    "a study whose UID begins like it": said(replace(image(), study=STUDY + ".1")),
    "another SOP class than its context's": said(replace(image(), sop_class=SECONDARY_CAPTURE)),
    "a data set of another class": said(
        replace(image(), sop_class=SECONDARY_CAPTURE).saying(sop_class=MR_IMAGE)
    ),
    "a command of another class": said(image().saying(sop_class=SECONDARY_CAPTURE)),
    "a data set of another instance": said(image().saying(instance="1.7.1.9")),
    "a context that is not allowed": said(image(), context=NOT_ALLOWED),
    "a C-ECHO": p_data(EXPLICIT, 3, command(0x30, 1, VERIFICATION, data=False)),
    "an A-RELEASE-RQ": bytes([RELEASE_RQ, 0, 0, 0, 0, 4, 0, 0, 0, 0]),
    "the head of a PDU of no type": bytes([0x5A, 0, 0, 0, 0, 4]),
    "a command in two fragments": p_data(EXPLICIT, 1, COMMAND[:30]) + p_data(EXPLICIT, 3, COMMAND[30:]),
    "a data set first": p_data(EXPLICIT, 2, DATA),
    "a data set in another context": ASKED + p_data(IMPLICIT, 2, DATA),
    "a second command": ASKED + ASKED,
    "a fragment behind the last": ASKED + of_pdu(p_data(EXPLICIT, 2, DATA)[6:], p_data(EXPLICIT, 2, b"")[6:]),
    "an empty P-DATA-TF": of_pdu(),
    "an empty P-DATA-TF behind the command": ASKED + of_pdu(),
    "half a fragment": ASKED + of_pdu(b"\0\0\0\6\1"),
    "a fragment that reaches beyond its PDU": ASKED + of_pdu(b"\0\0\0\7\1\2abcd"),
    "a fragment of endless length": ASKED + of_pdu(b"\xff\xff\xff\xff\1\2abcd"),
    "a fragment of length 0": ASKED + of_pdu(b"\0\0\0\0\1\2"),
    "a fragment of length 1": ASKED + of_pdu(b"\0\0\0\1\1\2"),
    "a PDU longer than a megabyte announced": struct.pack(">BBL", 4, 0, (1 << 20) + 1),
    "the same behind the command": ASKED + struct.pack(">BBL", 4, 0, (1 << 20) + 1),
    "more fragments than usual": said(image(pixels=bytes(20_000)), pieces=MOST_FRAGMENTS + 1),
    "no data set": ASKED + p_data(EXPLICIT, 2, b""),
    "a duplicate element in the command": with_command(COMMAND + struct.pack("<HHLH", 0, 0x0110, 2, 1)),
    "an element of another group in it": with_command(COMMAND + struct.pack("<HHLH", 8, 0x2000, 2, 1)),
    "half an element in it": with_command(COMMAND[:-1]),
    "an element without its length in it": with_command(COMMAND + b"\0\0\0\x20\0\0\0"),
    "no Message ID": with_command(COMMAND.replace(struct.pack("<HHLH", 0, 0x0110, 2, 1), b"")),
    "a Message ID of four bytes": with_command(
        COMMAND.replace(struct.pack("<HHLH", 0, 0x0110, 2, 1), struct.pack("<HHLL", 0, 0x0110, 4, 1))
    ),
    "no SOP instance": with_command(command(1, 1, MR_IMAGE)),
    "the announcement of no data set": with_command(command(1, 1, MR_IMAGE, image().instance, data=False)),
    "tags out of order": of_body(INSTANCE, CLASS, STUDY_UID, PIXELS),
    "a tag twice": of_body(CLASS, INSTANCE, INSTANCE, STUDY_UID, PIXELS),
    "a tag of a command": of_body(element(0, 2, b"UI", b"1.2"), *IDENTITY),
    "a VR that is not known": of_body(
        CLASS, INSTANCE, element(0x0008, 0x0020, b"ZZ", b""), STUDY_UID, PIXELS
    ),
    "a sequence of undefined length": of_body(
        CLASS, INSTANCE, b"\x08\0\x40\x11" + OF_UNDEFINED_LENGTH, STUDY_UID, PIXELS
    ),
    "encapsulated pixel data": of_body(CLASS, INSTANCE, STUDY_UID, ENCAPSULATED),
    "pixel data cut short": of_body(CLASS, INSTANCE, STUDY_UID, PIXELS[:-2]),
    "the head of pixel data cut short": of_body(CLASS, INSTANCE, STUDY_UID, PIXELS[:11]),
    "an element cut short": of_body(CLASS, INSTANCE, STUDY_UID[:-2]),
    "the head of an element cut short": of_body(CLASS, INSTANCE, STUDY_UID, b"\x28\0\x10\0US\2"),
    "pixel data of floats": of_body(CLASS, INSTANCE, STUDY_UID, element(0x7FE0, 0x0008, b"OW", b"") + b"\0"),
    "more behind what would be pixel data": of_body(
        CLASS, INSTANCE, STUDY_UID, element(0xFFFC, 0xFFFC, b"OB", b"")
    ),
    "no study": of_body(CLASS, INSTANCE, PIXELS),
    "no instance": of_body(CLASS, STUDY_UID, PIXELS),
    "no class": of_body(INSTANCE, STUDY_UID, PIXELS),
    "an empty study": of_body(CLASS, INSTANCE, element(0x0020, 0x000D, b"UI", b"\0\0"), PIXELS),
    "a UID longer than any": about(b"1" * 257),
    "a UID with a byte that no text has": about(b"1.7.1.\x7f"),
    "a UID with a letter beyond ASCII": about(b"1.7.1.\xe9"),
    "a UID with a space in it": about(b"1.7 .1"),
    "a UID with a NUL in it": about(b"1.7\0.1"),
    "a result of our own": of_body(CLASS, INSTANCE, OURS, STUDY_UID, PIXELS),
    "a result of our own, padded": of_body(
        CLASS, INSTANCE, element(0x0008, 0x1090, b"LO", b" dicom-node\0  "), STUDY_UID, PIXELS
    ),
    "a header in two fragments": of_body(*IDENTITY, first=10),
    "a header that ends with the first fragment": of_body(*IDENTITY, first=len(CLASS + INSTANCE + STUDY_UID)),
    "the head of the pixel data in two fragments": of_body(
        *IDENTITY, first=len(CLASS + INSTANCE + STUDY_UID) + 9
    ),
    "Explicit VR where there should be none": said(image(), context=IMPLICIT),
    "Implicit VR where there should be one": said(in_implicit(image()), context=EXPLICIT),
}


@pytest.mark.parametrize("before", [0, 1], ids=["alone", "behind an object"])
@pytest.mark.parametrize("strange", NOT_PLAIN.values(), ids=NOT_PLAIN)
def test_what_is_not_plain_is_left_as_it_came(native: Native, strange: bytes, before: int) -> None:
    first = [image(9)][:before]
    native.peer.sendall(b"".join(said(item) for item in first) + strange)
    why, heard, records = native.serve()
    assert (why, heard, records) == (_native.LEFT, True, [record(item) for item in first])
    assert native.lane.rest() == strange
    assert native.files() == files_of(*first)
    assert native.answered() == b"".join(answer(item) for item in first)
    native.peer.sendall(said(image(8)))
    assert native.serve()[2] == [record(image(8))], "it goes on as before"


def test_a_message_of_just_the_longest_is_served_and_a_longer_one_is_left(tmp_path: Path) -> None:
    longest = said(image(1, pixels=bytes(5000)))
    longer = said(image(2, pixels=bytes(5002)))
    with closing(Native(tmp_path, len(longest))) as native:
        native.peer.sendall(longest + longer)
        assert native.serve()[::2] == (_native.LEFT, [record(image(1, pixels=bytes(5000)))])
        assert native.lane.rest() == longer


def test_without_a_journal_the_same_object_again_is_left(unjournaled: Native) -> None:
    unjournaled.peer.sendall(said(image(), 1) + said(image(), 2))
    assert unjournaled.serve()[::2] == (_native.LEFT, [record(image())])
    assert unjournaled.lane.rest() == said(image(), 2)
    assert unjournaled.files() == files_of(image())
    assert unjournaled.answered() == answer(image(), 1)


@pytest.mark.parametrize("folder", ["/nowhere", "/dev/null"], ids=["gone", "no folder"])
def test_a_folder_that_is_none_is_not_followed_and_the_last_one_is(native: Native, folder: str) -> None:
    with pytest.raises(OSError, match=r"o such file|ot a directory"):
        native.follow(Path(folder))
    native.peer.sendall(said(image()))
    assert native.serve()[2] == [record(image())]


def test_what_cannot_be_written_is_left(unjournaled: Native) -> None:
    unjournaled.follow(Path("/proc"))
    unjournaled.peer.sendall(said(image()))
    assert unjournaled.serve()[::2] == (_native.LEFT, [])
    assert unjournaled.lane.rest() == said(image())
    assert unjournaled.answered() == b""


def test_when_the_folder_is_removed_under_it_objects_are_left(unjournaled: Native) -> None:
    unjournaled.peer.sendall(said(image(1)))
    assert unjournaled.serve()[2] == [record(image(1))]
    (unjournaled.root / next(iter(unjournaled.files()))).unlink()
    unjournaled.home.rmdir()
    unjournaled.peer.sendall(said(image(2)))
    assert unjournaled.serve()[::2] == (_native.LEFT, [])
    assert unjournaled.lane.rest() == said(image(2))
    assert unjournaled.answered() == answer(image(1))
    unjournaled.home.mkdir()  # whoever did that may not have come as far as making it durable
    unjournaled.peer.sendall(said(image(3)))
    assert unjournaled.serve()[::2] == (_native.LEFT, [])
    unjournaled.follow(unjournaled.home)
    assert unjournaled.lane.put(unjournaled.lane.rest())
    assert unjournaled.serve()[2] == [record(image(3))]


@pytest.mark.parametrize("reserve", [1 << 60, (1 << 64) - 1])
def test_objects_that_would_take_the_disks_reserve_are_left(tmp_path: Path, reserve: int) -> None:
    with closing(Promises(tmp_path)) as promises:
        for journal in (None, promises.journal):
            with closing(Native(tmp_path, reserve_bytes=reserve, journal=journal)) as native:
                native.peer.sendall(said(image()))
                assert native.serve()[::2] == (_native.LEFT, [])
                assert native.lane.rest() == said(image())
                assert native.files() == promises.held() == {}


def test_the_bell_ends_its_waiting(native: Native) -> None:
    ringing = threading.Timer(0.05, native.bell.ring)
    ringing.start()
    assert native.serve(LONG_MS) == (_native.RUNG, False, [])
    ringing.join()


def test_while_the_bell_rings_nothing_is_read(native: Native) -> None:
    native.bell.ring()
    native.peer.sendall(said(image()))
    assert native.serve(LONG_MS) == (_native.RUNG, False, [])
    assert native.files() == {}
    native.bell.silence()
    assert native.serve(LONG_MS)[2] == [record(image())]


def test_a_peer_that_says_nothing_is_waited_for_and_not_heard(native: Native) -> None:
    assert native.serve(20) == (_native.SILENT, False, [])
    assert native.serve(-20) == (_native.SILENT, False, [])


@pytest.mark.parametrize("amid", [b"", said(image(2))[:-1]], ids=["between objects", "amid an object"])
def test_the_end_of_the_connection_is_said_with_what_came_before(native: Native, amid: bytes) -> None:
    native.peer.sendall(said(image(1)) + amid)
    native.peer.shutdown(socket.SHUT_WR)
    assert native.lane.serve(LONG_MS, LONG_MS) == (_native.ENDED, True, [record(image(1))])
    assert native.lane.rest() == amid
    assert native.answered() == answer(image(1)), "it may still listen"


def test_a_lost_connection_is_an_end(native: Native) -> None:
    native.peer.sendall(said(image()))
    assert native.serve()[2] == [record(image())]
    native.peer.close()  # an answer is not read: to the other end that is a reset
    assert native.serve(LONG_MS) == (_native.ENDED, False, [])


def test_an_object_whose_sender_is_gone_is_stored_all_the_same(native: Native) -> None:
    native.peer.sendall(said(image()))
    native.peer.close()
    why, _, records = native.serve(LONG_MS)
    assert (why, records) == (_native.UNSENT, [record(image())])
    assert native.lane.unsent() == answer(image())
    assert native.serve(LONG_MS)[0] == _native.ENDED


def test_of_answers_that_the_peer_does_not_take_nothing_is_lost(tmp_path: Path) -> None:
    with closing(Narrow(tmp_path)) as native:
        number, why, answers = 0, _native.PAUSE, b""
        while why != _native.UNSENT:
            number += 1
            assert number < 3000, "it never came to wait"
            native.peer.sendall(said(image(number), number))
            why, _, records = native.serve(LONG_MS)
            assert records == [record(image(number))]
            answers += answer(image(number), number)
        assert native.lane.storing
        unsent = native.lane.unsent()
        assert unsent
        assert not native.lane.storing
        assert native.lane.unsent() == b""
        assert received(native.peer, len(answers) - len(unsent)) + unsent == answers
        native.peer.sendall(said(image(0)))
        assert native.serve(LONG_MS)[::2] == (_native.PAUSE, [record(image(0))])
        assert received(native.peer, len(answer(image(0)))) == answer(image(0)), "it goes on as before"


def received(peer: socket.socket, number: int) -> bytes:
    found = b""
    while len(found) < number:
        found += peer.recv(number - len(found))
    return found


def test_what_was_received_before_is_served_first(native: Native) -> None:
    one, two = said(image(1)), said(image(2))
    assert native.lane.put(one[:50])
    native.peer.sendall(one[50:] + two)
    assert native.serve()[2] == [record(image(1)), record(image(2))]


def test_what_was_received_before_is_told_without_waiting_for_the_peer(native: Native) -> None:
    assert native.lane.put(said(image(1)) + said(image(2)))
    assert native.serve(LONG_MS) == (_native.PAUSE, False, [record(image(1)), record(image(2))])


def test_nothing_is_put_behind_what_is_there_and_nothing_that_is_too_long(tmp_path: Path) -> None:
    with closing(Native(tmp_path, longest_bytes=1000)) as native:
        assert not native.lane.put(bytes(10 * LONGEST))
        assert native.lane.put(b"what")
        assert not native.lane.put(b"more")
        assert native.lane.rest() == b"what"
        assert native.lane.rest() == b""
        assert native.lane.put(b"more")


@pytest.mark.parametrize("longest", [-1, 0, (1 << 24) + 1])
def test_a_lane_for_messages_of_unlikely_length_is_not_made(longest: int) -> None:
    with pytest.raises(ValueError, match=f"messages of {longest} bytes are not for here"):
        _native.Lane(0, 0, longest, 0, b"")


WRONG_USES: dict[str, tuple[str, Callable[[Native], object]]] = {
    "a context twice": (
        "context 1 is allowed already",
        lambda native: native.lane.allow(1, False, MR_IMAGE.encode(), b"", b""),
    ),
    "a file's head longer than any": (
        "the head of a file is too long",
        lambda native: native.lane.allow(7, False, MR_IMAGE.encode(), bytes(1000), bytes(25)),
    ),
    "no study": (
        "there is no study to follow",
        lambda native: _native.Lane(native.near.fileno(), native.bell.fileno(), 1000, 0, b"").serve(0, 0),
    ),
}


@pytest.mark.parametrize("wrong", WRONG_USES)
def test_a_wrong_use_is_an_error(native: Native, wrong: str) -> None:
    reason, use = WRONG_USES[wrong]
    with pytest.raises(ValueError, match=reason):
        use(native)


def test_nothing_is_being_stored_while_it_waits(native: Native) -> None:
    seen: list[bool] = []

    def look() -> None:
        seen.append(native.lane.storing)
        native.bell.ring()

    looking = threading.Timer(0.05, look)
    looking.start()
    assert native.serve(LONG_MS)[0] == _native.RUNG
    looking.join()
    assert seen == [False]


def test_an_answer_that_the_peer_does_not_take_is_waited_for_like_any_other(tmp_path: Path) -> None:
    """Whoever stops the receiver waits for the answers under way."""
    site = OneAssociation(tmp_path)
    with heard_out(site), closing(site):
        lane = site.native()
        site.keep(image(0))
        assert lane.can_serve()
        items = [image(number) for number in range(1, 3000)]
        sending = threading.Thread(target=send_until_lost, args=(site.peer, items))
        serving = threading.Thread(target=lane.serve, args=(10.0,))
        for thread in (sending, serving):
            thread.start()
        until(lambda: lane._sending, "the peer takes no more answers")
        assert site.session.is_busy
        site.bell.ring()
        while serving.is_alive():
            site.peer.recv(65_536)
            serving.join(0.01)
        assert site.sessions.wait_until_answered(10.0)
        site.peer.shutdown(socket.SHUT_RDWR)
        sending.join()


@contextmanager
def heard_out(site: OneAssociation) -> Iterator[None]:
    """Whatever the node is told is heard, until `site` is closed."""
    heard = os.dup(site.heard)

    def hear() -> None:
        while os.read(heard, 65_536):
            continue

    hearing = threading.Thread(target=hear)
    hearing.start()
    yield
    hearing.join()
    os.close(heard)


def send_until_lost(peer: socket.socket, items: Sequence[Sent]) -> None:
    with suppress(OSError):
        for number, item in enumerate(items):
            peer.sendall(said(item, number))
