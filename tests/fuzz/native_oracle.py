"""What the way in Python makes of a stream, and how much of that is plain enough for the way in C."""

import struct
from dataclasses import dataclass
from enum import Enum

from pydicom.uid import UID, ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pynetdicom.presentation import PresentationContextTuple

from dicom_node.archive.layout import file_path
from dicom_node.archive.part10 import Origin, part10_head
from dicom_node.errors import ClassMismatch
from dicom_node.receiver.assembly import Assembly, Whole
from dicom_node.receiver.framing import (
    LONGEST_PDU_BYTES,
    P_DATA_TF,
    Fragment,
    Malformed,
    command_pdus,
    fragments,
    pdu_at,
)
from dicom_node.receiver.header import LONGEST_UID, Header
from dicom_node.receiver.quick_header import quick_header
from dicom_node.receiver.store_command import StoreRequest, store_response
from dicom_node.receiver.storing import OUR_MODEL_NAME, Incoming, _check_identity
from tests.fuzz.conversations import MR_IMAGE, STUDY
from tests.fuzz.native_streams import EXPLICIT, IMPLICIT

CALLING = "FUZZ"
CONTEXTS = {
    number: PresentationContextTuple(number, MR_IMAGE, syntax)
    for number, syntax in ((EXPLICIT, ExplicitVRLittleEndian), (IMPLICIT, ImplicitVRLittleEndian))
}
MOST_FRAGMENTS, MOST_ELEMENTS = 64, 32
_LONGEST_ANSWER = 16_382
_LONG_FORM = frozenset(b"OB OD OF OL OV OW SQ SV UC UN UR UT UV".split())
_PIXELS, _UNDEFINED = 0x7FE00010, 0xFFFFFFFF


class Fate(Enum):
    """What becomes of the message that begins somewhere in a stream."""

    PLAIN = "is for C"
    OTHERWISE = "is for Python"
    COMING = "is plain so far, and not whole"
    UNKNOWN = "is not plain any more, and not whole"


@dataclass(frozen=True)
class Told:
    """What is told of an object that is stored, and to whom."""

    instance: str
    name: str
    digest: str
    content: bytes
    answer: bytes


@dataclass(frozen=True)
class Next:
    """A message of a stream: where it ends, if it is PLAIN, and what it is then stored as."""

    fate: Fate
    end: int = 0
    dataset: bytes = b""
    header: Header | None = None
    context_id: int = 0
    request: StoreRequest | None = None

    def told(self, digest: str) -> Told:
        """What is to be said of it; `digest` is that of its data set."""
        assert self.header is not None
        assert self.request is not None
        study, instance = self.header.study_instance_uid, self.header.sop_instance_uid
        syntax = CONTEXTS[self.context_id].transfer_syntax
        head = part10_head(Origin(self.header.sop_class_uid, instance, syntax, CALLING))
        answer = command_pdus(self.context_id, store_response(self.request, 0), _LONGEST_ANSWER)
        name = file_path(study, instance, digest, ".dcm").rpartition("/")[2]
        return Told(instance, name, digest, head + self.dataset, answer)


class _Reading:
    """One message, PDU by PDU; what it was put together from is kept, for C is particular about it."""

    def __init__(self) -> None:
        self.assembly = Assembly()
        self.found: list[Fragment] = []

    def take(self, pdu: memoryview) -> Whole | None:
        """The message, once it is whole.

        Raises:
            Malformed: it is not for us, or nobody's.
        """
        found, request = fragments(pdu), None
        if not self.assembly.pending:
            request = self.assembly.begin(found)
            if request is None:
                raise Malformed("left to pynetdicom")
        self.found += found
        return self.assembly.take(found, request)

    @property
    def is_short(self) -> bool:
        """Whether its command is no longer, and its data set in no more parts, than C takes."""
        return not self.found or (
            len(self.found) - 1 <= MOST_FRAGMENTS and _is_usual_command(bytes(self.found[0].value))
        )


def next_message(stream: bytes, begin: int, longest_bytes: int) -> Next:
    """The message at `begin`; C takes none of more than `longest_bytes`."""
    reading, at = _Reading(), begin
    while True:
        pdu = pdu_at(stream, at, len(stream))
        if pdu is None:
            return Next(Fate.COMING if reading.is_short else Fate.UNKNOWN)
        if pdu.kind != P_DATA_TF or pdu.end - at > LONGEST_PDU_BYTES or pdu.end - begin > longest_bytes:
            return Next(Fate.OTHERWISE)
        if pdu.end > len(stream):
            return Next(Fate.COMING if reading.is_short else Fate.UNKNOWN)
        try:
            whole = reading.take(memoryview(stream)[at : pdu.end])
        except Malformed:
            return Next(Fate.OTHERWISE)
        at = pdu.end
        if whole is not None:
            return _judged(whole, reading, at)


def _judged(whole: Whole, reading: _Reading, end: int) -> Next:
    otherwise = Next(Fate.OTHERWISE)
    context = CONTEXTS.get(whole.context_id)
    request, dataset = whole.request, whole.dataset.getvalue()
    if context is None or request.sop_class_uid != context.abstract_syntax or not reading.is_short:
        return otherwise
    header = quick_header(memoryview(dataset), UID(context.transfer_syntax))
    first = next((one for one in reading.found[1:] if one.value), None)
    if header is None or first is None:
        return otherwise
    try:
        _check_identity(header, Incoming(request.sop_class_uid, request.sop_instance_uid, context, None, ""))
    except ClassMismatch:
        return otherwise
    implicit = whole.context_id == IMPLICIT
    if not _is_usual(header) or not _is_plain(dataset, len(first.value), implicit):
        return otherwise
    return Next(Fate.PLAIN, end, dataset, header, whole.context_id, request)


def _is_usual(header: Header) -> bool:
    printable = all("!" <= character <= "~" for character in header.sop_instance_uid)
    return printable and header.study_instance_uid == STUDY and header.model_name != OUR_MODEL_NAME


def _is_plain(dataset: bytes, first_bytes: int, implicit: bool) -> bool:
    """Whether all up to native pixel data lies in the first fragment, of what the quick way has understood."""
    if implicit and any(byte in range(ord("A"), ord("Z") + 1) for byte in dataset[4:6]):
        return False
    at = 0
    while at < len(dataset):
        group, number, vr, length = struct.unpack_from("<HH2sH", dataset, at)
        at += 8
        if implicit:
            (length,) = struct.unpack_from("<L", dataset, at - 4)
        elif vr in _LONG_FORM:
            (length,) = struct.unpack_from("<L", dataset, at)
            at += 4
        if group << 16 | number == _PIXELS:
            return at <= first_bytes and length != _UNDEFINED
        at += length
    return first_bytes == len(dataset)


def _is_usual_command(command: bytes) -> bool:
    number, at = 0, 0
    while at < len(command):
        _, name, length = struct.unpack_from("<HHL", command, at)
        if name in (0x0002, 0x1000) and length > LONGEST_UID:
            return False
        number, at = number + 1, at + 8 + length
    return number <= MOST_ELEMENTS
