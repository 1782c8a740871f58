"""Storage Commitment Push Model (PS3.4 annex J): request and report, written, and read with bounds."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any, Self

from pydicom import DataElement, Dataset
from pydicom.config import IGNORE
from pydicom.uid import UID
from pynetdicom.dimse_primitives import N_EVENT_REPORT
from pynetdicom.dsutils import decode
from pynetdicom.events import Event

WELL_KNOWN_INSTANCE = UID("1.2.840.10008.1.20.1.1")
REQUEST = 1
"""Action Type ID (PS3.4 J.3.2)."""
EVENT_TYPES = COMPLETE, INCOMPLETE = (1, 2)
"""Event Type IDs: everything is committed, something failed (PS3.4 J.3.3)."""

MOST_OBJECTS = 20_000
LONGEST_REPORT_BYTES = 8_000_000
_LONGEST_UID = 64

SUCCESS, NO_SUCH_INSTANCE, NO_SUCH_EVENT, INVALID_VALUE, RESOURCES = 0x0000, 0x0112, 0x0113, 0x0115, 0x0213
"""What a report is answered with (PS3.7 10.1.1.1.8)."""
NO_SUCH_ACTION = 0x0123
"""What else a request is answered with (PS3.7 10.1.4.1.10)."""

PROCESSING_FAILURE, NO_SUCH_OBJECT, CLASS_NOT_COMMITTED = 0x0110, 0x0112, 0x0122
CLASS_CONFLICT, TRANSACTION_IN_USE = 0x0119, 0x0131
REASONS: Mapping[int, str] = {
    PROCESSING_FAILURE: "processing failure",
    NO_SUCH_OBJECT: "it does not hold this object",
    0x0213: "resource limitation",
    CLASS_NOT_COMMITTED: "it does not commit this SOP class",
    CLASS_CONFLICT: "it holds this UID as another SOP class",
    TRANSACTION_IN_USE: "it has seen this transaction already",
}
"""Failure Reason (0008,1197), PS3.3 C.14.1.1."""


Objects = tuple[tuple[str, str], ...]
"""What a request names: (SOP Class UID, SOP Instance UID) of each object."""


class BadReport(ValueError):
    """It is not the report, or the request, that PS3.4 tables J.3-1 and J.3-2 describe."""


class TooManyObjects(BadReport):
    """It names more objects than we look at."""


@dataclass(frozen=True, slots=True)
class Request:
    """What a peer asks to be committed to; each object is named once."""

    transaction_uid: str
    objects: Objects

    @classmethod
    def read(cls, information: Dataset) -> Self:
        """The Action Information of an N-ACTION.

        Raises:
            TooManyObjects: more than `MOST_OBJECTS`.
            BadReport: no transaction, no object, or an object without a UID.
        """
        transaction = _uid(information.get("TransactionUID"))
        named = (
            (_uid(item.get("ReferencedSOPClassUID")), _uid(item.get(_INSTANCE)))
            for item in _items(information, "ReferencedSOPSequence")
        )
        objects = tuple(dict.fromkeys(named))
        if not objects:
            raise BadReport("it names no object")
        return cls(transaction, objects)


@dataclass(frozen=True, slots=True)
class Report:
    """What a peer says of a transaction: committed SOP Instance UIDs, and failed ones with their reasons."""

    transaction_uid: str
    committed: tuple[str, ...]
    failed: Mapping[str, int]

    @classmethod
    def read(cls, information: Dataset) -> Self:
        """The Event Information of an N-EVENT-REPORT.

        Raises:
            BadReport: no transaction, too many objects, or an object without a UID.
        """
        transaction = _uid(information.get("TransactionUID"))
        committed = tuple(_uid(item.get(_INSTANCE)) for item in _items(information, "ReferencedSOPSequence"))
        failed = {
            _uid(item.get(_INSTANCE)): int(item.get("FailureReason") or 0)
            for item in _items(information, "FailedSOPSequence")
        }
        return cls(transaction, committed, failed)

    def as_event(self) -> dict[str, Any]:
        """The report as plain values, for the receiver's line to the node."""
        failed = dict(self.failed)
        return {"transaction": self.transaction_uid, "committed": list(self.committed), "failed": failed}

    @classmethod
    def from_event(cls, event: Mapping[str, Any]) -> Self:
        """The inverse of `as_event`."""
        failed = {str(uid): int(reason) for uid, reason in event["failed"].items()}
        return cls(str(event["transaction"]), tuple(map(str, event["committed"])), failed)


_INSTANCE = "ReferencedSOPInstanceUID"
_CLASS_TAG, _INSTANCE_TAG, _TRANSACTION_TAG = 0x0008_1150, 0x0008_1155, 0x0008_1195


def _items(information: Dataset, sequence: str) -> list[Dataset]:
    items = list(information.get(sequence) or ())
    if len(items) > MOST_OBJECTS:
        raise TooManyObjects(f"it names more than {MOST_OBJECTS} objects")
    return items


def _uid(value: object) -> str:
    uid = str(value or "").strip("\0 ")
    if not 0 < len(uid) <= _LONGEST_UID:
        raise BadReport("a UID is missing or too long")
    return uid


def request(transaction_uid: str, objects: Iterable[tuple[str, str]]) -> Dataset:
    """The Action Information that asks for (SOP Class UID, SOP Instance UID) objects (PS3.4 table J.3-1)."""
    information = Dataset()
    information.TransactionUID = transaction_uid
    information.ReferencedSOPSequence = [_reference(*one) for one in objects]
    return information


def report(transaction_uid: str, objects: Objects, failed: Mapping[str, int]) -> tuple[int, Dataset]:
    """Event Type ID and Event Information that answer a request (PS3.4 table J.3-2).

    `failed` gives the Failure Reason of each SOP Instance UID that is not committed to.
    """
    information = Dataset()
    information.add(_verbatim(_TRANSACTION_TAG, transaction_uid))
    if committed := [_reference(*one) for one in objects if one[1] not in failed]:
        information.ReferencedSOPSequence = committed
    refused = [_reference(*one) for one in objects if one[1] in failed]
    for item in refused:
        item.FailureReason = failed[item.ReferencedSOPInstanceUID]
    if refused:
        information.FailedSOPSequence = refused
    return (INCOMPLETE if refused else COMPLETE), information


def _reference(sop_class_uid: str, sop_instance_uid: str) -> Dataset:
    item = Dataset()
    item.add(_verbatim(_CLASS_TAG, sop_class_uid))
    item.add(_verbatim(_INSTANCE_TAG, sop_instance_uid))
    return item


def _verbatim(tag: int, uid: str) -> DataElement:
    """A caller's UID goes back as it came, valid or not."""
    return DataElement(tag, "UI", uid, validation_mode=IGNORE)


def answer_report(
    event: Event, known: Callable[[str], bool], take: Callable[[Report], None]
) -> tuple[int, None]:
    """EVT_N_EVENT_REPORT: the status to answer with; a report on a transaction that is `known` is taken."""
    said = event.request
    assert isinstance(said, N_EVENT_REPORT)
    encoded = said.EventInformation or BytesIO()
    if (status := _objection(said, encoded)) != SUCCESS:
        return status, None
    syntax = event.context.transfer_syntax
    try:
        report = Report.read(decode(encoded, syntax.is_implicit_VR, syntax.is_little_endian))
    except UNREADABLE:
        return INVALID_VALUE, None
    if not known(report.transaction_uid):
        return INVALID_VALUE, None
    take(report)
    return SUCCESS, None


def _objection(said: N_EVENT_REPORT, encoded: BytesIO) -> int:
    if said.AffectedSOPInstanceUID != WELL_KNOWN_INSTANCE:
        return NO_SUCH_INSTANCE
    if said.EventTypeID not in EVENT_TYPES:
        return NO_SUCH_EVENT
    return RESOURCES if encoded.getbuffer().nbytes > LONGEST_REPORT_BYTES else SUCCESS


# what pydicom raises at bytes that are no dataset; BadReport is a ValueError
UNREADABLE = (
    AttributeError,
    EOFError,
    KeyError,
    NotImplementedError,
    OSError,
    RecursionError,
    TypeError,
    ValueError,
)
