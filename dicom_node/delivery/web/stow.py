"""STOW-RS as user agent (PS3.18 10.5): objects of ours to a service, and what its answer means."""

from collections.abc import Iterator

from dicomweb_client.web import DICOMwebClient
from pydicom import Dataset
from pydicom.errors import InvalidDicomError

from dicom_node.delivery.dimse_status import Verdict, verdict_on
from dicom_node.delivery.storage_scu import ResultObject, SendOutcome, read_as
from dicom_node.delivery.web.line import WebLine
from dicom_node.delivery.web.session import Refusal
from pipeline.header import UNREADABLE
from reports import ReportError, sr_forms

UNSUPPORTED_CLASS = 0x0122
ABOUT_THE_OBJECT = (400, 409, 413, 415, 422)
"""HTTP statuses that concern what was sent, not who sent it (PS3.18 table 10.5.3-1)."""
FINAL = {413: "it finds the object too large", 415: "it does not take objects in this form"}
"""Those that will not change, and what they mean."""


def store(line: WebLine, client: DICOMwebClient, item: ResultObject) -> SendOutcome:
    """Send one object, a report as the richest class that is taken.

    One request holds one object: then its outcome cannot be another's, no answer is ambiguous, and what is
    in memory is bounded by it.

    Raises:
        DestinationError: see `WebLine.asking`; nothing is known of the object then.
    """
    outcome = SendOutcome(Verdict.REFUSED, comment=f"{line.name} takes no form of this object")
    for form in sr_forms(item.sop_class_uid):
        try:
            dataset = read_as(item.path, form)
        except (OSError, InvalidDicomError) as error:
            return SendOutcome(Verdict.REFUSED, comment=f"our own file of this object is gone: {error}")
        except ReportError as error:
            return SendOutcome(Verdict.REFUSED, comment=str(error))
        outcome = _store(line, client, dataset)
        if outcome.status != UNSUPPORTED_CLASS:
            break
    return outcome


def _store(line: WebLine, client: DICOMwebClient, dataset: Dataset) -> SendOutcome:
    sop_class_uid, sop_instance_uid = str(dataset.SOPClassUID), str(dataset.SOPInstanceUID)
    with line.asking("STOW-RS"):
        try:
            answer = client.store_instances([dataset])
        except Refusal as error:
            if error.status not in ABOUT_THE_OBJECT:
                raise
            verdict, status, words = _failure(_explanation(error.body), error.status)
        else:
            verdict, status, words = _outcome(answer, sop_instance_uid)
    comment = "" if verdict is Verdict.SENT else f"{line.name}: {words}"
    return SendOutcome(verdict, status, comment, sop_class_uid, sop_instance_uid)


def _explanation(body: bytes) -> Dataset:
    """The body of a refusal, if it is one that DICOM knows; else an empty one."""
    try:
        return Dataset.from_json(body.decode())
    except UNREADABLE:
        return Dataset()


_Judged = tuple[Verdict, int | None, str]


def _outcome(answer: Dataset, sop_instance_uid: str) -> _Judged:
    """What an answer without an HTTP error says of the object (PS3.18 10.5.3)."""
    if any(_failures(answer)):
        return _failure(answer, 200)
    for item in answer.get("ReferencedSOPSequence", ()):
        if str(item.get("ReferencedSOPInstanceUID", "")) == sop_instance_uid:
            return _stored(item)
    return Verdict.DOUBTFUL, None, "it answers without a word on whether it stored the object"


def _stored(item: Dataset) -> _Judged:
    reason = int(item.get("WarningReason") or 0)
    if reason == 0:
        return Verdict.SENT, 0x0000, ""
    verdict, words = verdict_on(reason)
    if verdict is not Verdict.WARNING:
        words = "stored, with a warning of its own"
    return Verdict.WARNING, reason, f"{words} ({reason:04X}H)"


def _failure(answer: Dataset, http: int) -> _Judged:
    """Why the object was not stored: by its own reason, or if it gives none by the HTTP status."""
    reasons = [reason for item in _failures(answer) if (reason := int(item.get("FailureReason") or 0))]
    if reasons:
        verdict, words = verdict_on(reasons[0])
        return verdict, reasons[0], f"{words} ({reasons[0]:04X}H)"
    if http in FINAL:
        return Verdict.REFUSED, None, f"{FINAL[http]} (HTTP {http})"
    return Verdict.DOUBTFUL, None, f"it did not store the object and gives no reason (HTTP {http})"


def _failures(answer: Dataset) -> Iterator[Dataset]:
    """Of one object there is one at most, even if the service could not read its UID."""
    for keyword in ("FailedSOPSequence", "OtherFailuresSequence"):
        yield from answer.get(keyword, ())
