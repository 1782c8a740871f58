"""What our reading of bytes owes: it agrees with pynetdicom wherever it says that something is a message."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO

from pydicom.uid import UID
from pynetdicom import pdu as their_pdu
from pynetdicom.dimse_messages import DIMSEMessage
from pynetdicom.dimse_primitives import C_STORE

from dicom_node.receiver.assembly import Assembly, Whole
from dicom_node.receiver.framing import LONGEST_PDU_BYTES, P_DATA_TF, Fragment, Malformed, fragments, pdu_at
from dicom_node.receiver.header import read_header
from dicom_node.receiver.lobby import introduced
from dicom_node.receiver.quick_header import quick_header
from tests.fuzz.conversations import SYNTAXES

GOING_ON = ("going on", "stored")
_LONGEST_UNPACKED = 1 << 20
_WHITE = "\0 \t\n\v\f\r\x1c\x1d\x1e\x1f\x85\xa0"


@dataclass(frozen=True)
class Stored:
    """A message as both sides must tell it."""

    context_id: int
    message_id: int
    sop_class: str
    sop_instance: str
    dataset: bytes = field(repr=False)


def check(stream: bytes) -> str:
    """Read a stream of PDUs in both ways; how ours ended. Raises AssertionError where the ways part."""
    ours, theirs, ended = Assembly(), DIMSEMessage(), ""
    for pdu in _pdus(stream):
        ended, theirs = _step(ours, theirs, pdu)
        if ended not in GOING_ON:
            break
    return ended or "cut"


def _step(ours: Assembly, theirs: DIMSEMessage, pdu: memoryview) -> tuple[str, DIMSEMessage]:
    """Both take one PDU; how ours took it."""
    if pdu[0] != P_DATA_TF:
        return "another PDU", theirs
    found = _check_fragments(pdu)
    if found is None:
        return "malformed", theirs
    request = None if ours.pending else ours.begin(found)
    if request is None and not ours.pending:
        return "left to pynetdicom", theirs
    try:
        whole = ours.take(found, request)
    except Malformed:
        return "mixed", theirs
    return _compared(whole, theirs, pdu)


def _compared(whole: Whole | None, theirs: DIMSEMessage, pdu: memoryview) -> tuple[str, DIMSEMessage]:
    try:
        stored, theirs = _their_reading(theirs, pdu)
    except Exception:  # noqa: BLE001 - for elements of the command that ours has no use for
        return "refused by pynetdicom alone", theirs
    told = None if whole is None else _told(whole)
    assert told == stored, (told, stored)
    if whole is None:
        return "going on", theirs
    check_header(whole.dataset.getvalue(), SYNTAXES[(whole.context_id - 3) // 2 % len(SYNTAXES)])
    return "stored", theirs


def _pdus(stream: bytes) -> Iterator[memoryview]:
    at = 0
    while (pdu := pdu_at(stream, at, len(stream))) is not None:
        assert pdu.end >= at + 6, "it goes forward"
        if pdu.end > len(stream) or pdu.end - at > LONGEST_PDU_BYTES:
            return
        yield memoryview(stream)[at : pdu.end]
        at = pdu.end


def _check_fragments(pdu: memoryview) -> list[Fragment] | None:
    """Ours, the same as theirs; what they read and write again as it was, we read, too."""
    try:
        found = fragments(pdu)
    except Malformed:
        assert not _is_canonical(bytes(pdu))
        return None
    theirs = their_pdu.P_DATA_TF()
    theirs.decode(bytes(pdu))
    values = [
        (item.context_id, item.presentation_data_value) for item in theirs.presentation_data_value_items
    ]
    assert [(one.context_id, bytes(one.value)) for one in found] == [
        (number, value[1:]) for number, value in values
    ]
    assert [(one.is_command, one.is_last) for one in found] == [
        (bool(value[0] & 1), bool(value[0] & 2)) for _, value in values
    ]
    return found


def _is_canonical(pdu: bytes) -> bool:
    theirs = their_pdu.P_DATA_TF()
    try:
        theirs.decode(pdu)
        values = theirs.presentation_data_value_items
        # a value without its control header passes there, and then stops the reading of the message
        return bool(values) and all(one.presentation_data_value for one in values) and theirs.encode() == pdu
    except Exception:  # noqa: BLE001 - it refuses, however
        return False


def _their_reading(message: DIMSEMessage, pdu: memoryview) -> tuple[Stored | None, DIMSEMessage]:
    """What pynetdicom makes of one more PDU of a message: the message, if it is complete."""
    theirs = their_pdu.P_DATA_TF()
    theirs.decode(bytes(pdu))
    if not message.decode_msg(theirs.to_primitive()):
        return None, message
    request = message.message_to_primitive()
    if not isinstance(request, C_STORE) or request.DataSet is None:
        return Stored(0, 0, type(request).__name__, "", b""), DIMSEMessage()
    told = Stored(
        message.context_id or 0,
        int(request.MessageID or 0),
        _bare(str(request.AffectedSOPClassUID or "")),
        _bare(str(request.AffectedSOPInstanceUID or "")),
        request.DataSet.getvalue(),
    )
    return told, DIMSEMessage()


def _told(whole: Whole) -> Stored:
    request = whole.request
    return Stored(
        whole.context_id,
        request.message_id,
        _bare(request.sop_class_uid),
        _bare(request.sop_instance_uid),
        whole.dataset.getvalue(),
    )


def _bare(uid: str) -> str:
    """Pynetdicom takes what precedes a backslash, and strips what Python calls white; ours is verbatim."""
    return uid.split("\\")[0].strip(_WHITE)


def check_header(dataset: bytes, syntax: UID) -> str:
    """UIDs that are really in the bytes, or an exception, which the door to a stranger's bytes catches.

    Where the quick way has an answer, the thorough one has the same.
    """
    quick = quick_header(memoryview(dataset), syntax)
    try:
        found = read_header(BytesIO(dataset), syntax, _LONGEST_UNPACKED)
    except Exception:  # noqa: BLE001 - as the door does
        assert quick is None, quick
        return "header refused"
    assert quick in (None, found), (quick, found)
    if not syntax.is_deflated:
        assert found.study_instance_uid.encode("latin-1") in dataset
        assert found.sop_instance_uid.encode("latin-1") in dataset
    return "header read quickly" if quick else "header read"


def check_introduction(said: bytes) -> str:
    """Who has said enough has also said enough when more comes."""
    prefixes = [said[:length] for length in (1, 2, 5, 6, 7, len(said)) if 0 < length <= len(said)]
    heard = [introduced(prefix) for prefix in prefixes]
    assert heard == sorted(heard)
    return "introduced" if said and heard[-1] else "not introduced"
