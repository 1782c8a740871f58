"""Fragments, commands and messages as bytes: what is read is what a DICOM library wrote, and nothing else is."""

import struct
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pynetdicom.dimse_messages import C_STORE_RQ, C_STORE_RSP, DIMSEMessage
from pynetdicom.dimse_primitives import C_ECHO, C_STORE
from pynetdicom.pdu import P_DATA_TF
from pynetdicom.pdu_primitives import P_DATA

from dicom_node.receiver.assembly import Assembly
from dicom_node.receiver.framing import Fragment, Malformed, command_pdus, fragments, pdu_at
from dicom_node.receiver.store_command import StoreRequest, store_request, store_response

MR_IMAGE = "1.2.840.10008.5.1.4.1.1.4"
DATASET = bytes(range(256)) * 20


def pdus_of(request: C_STORE | C_ECHO, longest: int = 16_382) -> list[bytes]:
    """What pynetdicom sends of a request."""
    message = C_STORE_RQ() if isinstance(request, C_STORE) else DIMSEMessage()
    message.primitive_to_message(request)
    return [P_DATA_TF(part).encode() for part in message.encode_msg(3, longest)]


def c_store(dataset: bytes = DATASET) -> C_STORE:
    request = C_STORE()
    request.MessageID = 77
    request.AffectedSOPClassUID = MR_IMAGE
    request.AffectedSOPInstanceUID = "1.2.3"
    request.Priority = 2
    request.DataSet = BytesIO(dataset)
    return request


def taken(assembly: Assembly, pdu: bytes) -> object:
    found = fragments(memoryview(pdu))
    request = None if assembly.pending else assembly.begin(found)
    return assembly.take(found, request)


@given(st.integers(16, 6000), st.binary(min_size=1, max_size=5000))
def test_a_message_cut_anyhow_is_put_together_again(longest: int, dataset: bytes) -> None:
    command, *data = pdus_of(c_store(dataset), longest=200)
    whole = b"".join(bytes(fragment.value) for pdu in data for fragment in fragments(memoryview(pdu)))
    assembly = Assembly()
    assert taken(assembly, command) is None
    pieces = [whole[begin : begin + longest] for begin in range(0, len(whole), longest)]
    for piece in pieces[:-1]:
        assert assembly.take([Fragment(3, False, False, memoryview(piece))]) is None
    message = assembly.take([Fragment(3, False, True, memoryview(pieces[-1]))])
    assert message is not None
    assert (message.context_id, message.request.message_id) == (3, 77)
    assert (message.request.sop_class_uid, message.request.sop_instance_uid) == (MR_IMAGE, "1.2.3")
    assert message.dataset.getvalue() == whole
    assert not assembly.pending


@pytest.mark.parametrize(
    "body",
    [
        b"",
        struct.pack(">L", 6),
        struct.pack(">LBB", 1, 1, 3),
        struct.pack(">LBB", 0, 1, 3),
        struct.pack(">LBB", 9, 1, 3) + b"abc",
        struct.pack(">LBB", 0xFFFFFFFF, 1, 3) + b"abc",
        struct.pack(">LBB", 5, 1, 3) + b"abcd",
    ],
)
def test_fragments_that_do_not_fill_their_pdu_exactly_are_malformed(body: bytes) -> None:
    with pytest.raises(Malformed):
        fragments(memoryview(struct.pack(">BBL", 4, 0, len(body)) + body))


def test_a_pdu_is_seen_from_its_head_on_wherever_it_begins() -> None:
    received = b"\0\0" + struct.pack(">BBL", 7, 0, 4)
    assert pdu_at(received, 2, 7) is None
    assert pdu_at(received, 2, 8) == (7, 12)


@given(st.integers(1, 400), st.integers(7, 90))
def test_an_answer_is_cut_to_the_peers_longest_pdu(length: int, longest: int) -> None:
    answer = bytes(index % 251 for index in range(length))
    sent = command_pdus(5, answer, longest)
    at, said, last = 0, b"", []
    while at < len(sent):
        pdu = pdu_at(sent, at, len(sent))
        assert pdu is not None
        assert pdu.kind == 4
        assert pdu.end - at - 6 <= longest
        (fragment,) = fragments(memoryview(sent)[at : pdu.end])
        assert (fragment.context_id, fragment.is_command) == (5, True)
        said += bytes(fragment.value)
        last.append(fragment.is_last)
        at = pdu.end
    assert said == answer
    assert last == [False] * (len(last) - 1) + [True]
    assert command_pdus(5, answer, 0) == command_pdus(5, answer, length + 6)


def test_the_response_is_what_a_library_reads_as_one() -> None:
    request = StoreRequest(77, MR_IMAGE.encode() + b"\0", b"1.2.3\0")
    for status, comment in ((0x0000, ""), (0xA700, "disk: 3 MB free \u2013 reserve\\is 4 MB" + "." * 60)):
        (fragment,) = fragments(memoryview(command_pdus(3, store_response(request, status, comment), 0)))
        primitive = P_DATA()
        primitive.presentation_data_value_list = [[3, b"\3" + bytes(fragment.value)]]
        message = C_STORE_RSP()
        assert message.decode_msg(primitive)
        answer = message.message_to_primitive()
        assert isinstance(answer, C_STORE)
        assert (answer.MessageIDBeingRespondedTo, answer.Status) == (77, status)
        assert (answer.AffectedSOPClassUID, answer.AffectedSOPInstanceUID) == (MR_IMAGE, "1.2.3")
        said = str(answer.ErrorComment or "")
        assert said == comment.replace("\u2013", "?").replace("\\", "/")[:64]


def element(number: int, value: bytes) -> bytes:
    return struct.pack("<HHL", 0, number, len(value)) + value


def command(**changed: bytes) -> bytes:
    """A C-STORE-RQ's command set; what is given as b"" is left out."""
    values = {
        "e0002": b"1.2 ",
        "e0100": b"\1\0",
        "e0110": b"\7\0",
        "e0800": b"\0\0",
        "e1000": b"1.9\0",
    } | changed
    return b"".join(element(int(name[1:], 16), value) for name, value in values.items() if value)


def test_a_plain_request_is_read() -> None:
    assert store_request(command()) == StoreRequest(7, b"1.2 ", b"1.9\0")


@pytest.mark.parametrize(
    "other",
    [
        command(e0100=b"\x30\0"),
        command(e0800=b"\1\1"),
        command(e0800=b""),
        command(e0110=b""),
        command(e0110=b"\1\0\0\0"),
        command(e0002=b""),
        command(e1000=b""),
        command() + element(0x0110, b"\1\0"),
        command() + struct.pack("<HHL", 8, 0x0016, 0),
        command()[:-1],
        command() + b"\0",
        b"",
    ],
)
def test_any_other_command_is_left_to_pynetdicom(other: bytes) -> None:
    assert store_request(other) is None


def fragment(is_command: bool, is_last: bool, value: bytes = b"ab", context_id: int = 1) -> Fragment:
    return Fragment(context_id, is_command, is_last, memoryview(value))


REQUEST = fragment(True, True, command())


@pytest.mark.parametrize(
    "found",
    [
        [fragment(True, False, command())],
        [fragment(False, False)],
        [REQUEST, REQUEST],
        [REQUEST, fragment(False, False, context_id=3)],
        [REQUEST, fragment(False, True), fragment(False, True)],
    ],
)
def test_a_message_that_begins_unusually_is_left_to_pynetdicom(found: list[Fragment]) -> None:
    assert Assembly().begin(found) is None


@pytest.mark.parametrize(
    "found",
    [[REQUEST], [fragment(False, False, context_id=3)], [fragment(False, True), fragment(False, False)]],
)
def test_a_fragment_of_another_message_ends_the_association(found: list[Fragment]) -> None:
    assembly = Assembly()
    assembly.take([REQUEST], assembly.begin([REQUEST]))
    with pytest.raises(Malformed):
        assembly.take(found)


def test_request_and_data_set_may_come_in_one_pdu_and_many_follow_each_other() -> None:
    assembly = Assembly()
    messages = [
        assembly.take(found, assembly.begin(found))
        for found in (
            [REQUEST, fragment(False, False), fragment(False, True, body)] for body in (b"cd", b"ef")
        )
    ]
    assert [message.dataset.getvalue() for message in messages if message] == [b"abcd", b"abef"]


def test_what_is_dropped_is_not_held_and_the_next_one_is_whole() -> None:
    assembly = Assembly()
    assembly.take([REQUEST, fragment(False, False)], assembly.begin([REQUEST]))
    assembly.drop()
    assert assembly.take([fragment(False, False)]) is None
    dropped = assembly.take([fragment(False, True)])
    assert dropped is not None
    assert not dropped.dataset.getvalue()
    found = [REQUEST, fragment(False, True, b"next")]
    message = assembly.take(found, assembly.begin(found))
    assert message is not None
    assert message.dataset.getvalue() == b"next"
