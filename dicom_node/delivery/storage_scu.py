"""Objects of ours over one open association: which form goes out, and what the answer means."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import final

from pydicom import Dataset, dcmread
from pydicom.errors import InvalidDicomError
from pydicom.filereader import read_file_meta_info
from pydicom.uid import UID

from dicom_node.delivery.dimse_status import Verdict, verdict_on
from dicom_node.delivery.exchange import Ended
from dicom_node.delivery.storage_association import StorageAssociation
from dicom_node.receiver.store_command import StoreAnswer
from reports import ReportError, as_sr_class, sr_forms


@dataclass(frozen=True, slots=True)
class ResultObject:
    """One file to send."""

    path: Path
    sop_class_uid: str
    sop_instance_uid: str


@dataclass(frozen=True, slots=True)
class SendOutcome:
    """What became of one object.

    Attributes:
        verdict: what it means for us.
        status: the C-STORE status; None if there was no answer.
        comment: one sentence for anything but plain success.
        sent_sop_class_uid, sent_sop_instance_uid: the form that left us; empty if none did.
    """

    verdict: Verdict
    status: int | None = None
    comment: str = ""
    sent_sop_class_uid: str = ""
    sent_sop_instance_uid: str = ""


Hear = Callable[[SendOutcome], None]


def silent(_: SendOutcome) -> None:
    """For those who wait for the whole."""


def heard(outcomes: Iterable[SendOutcome], hear: Hear) -> list[SendOutcome]:
    """The outcomes, each told as soon as it is there."""
    known = []
    for outcome in outcomes:
        hear(outcome)
        known.append(outcome)
    return known


@final
class StorageScu:
    """Sends objects one after the other on an association that others release."""

    def __init__(self, association: StorageAssociation, peer: str) -> None:
        self._association = association
        self._peer = peer
        self._accepted = association.accepted

    def send(self, item: ResultObject) -> SendOutcome:
        """Send one object, a report as the richest class that was accepted. No answer of a peer raises."""
        form = self._accepted_form(item.sop_class_uid)
        if form is None:
            return self._no_context(item)
        if not self._association.is_open():
            too_late = f"the association with {self._peer} ended before this object's turn"
            return SendOutcome(Verdict.LATER, comment=too_late)
        try:
            return self._store(item, form)
        except (OSError, InvalidDicomError, ReportError, ValueError) as error:
            return SendOutcome(Verdict.REFUSED, comment=_trouble(error))

    def _store(self, item: ResultObject, form: str) -> SendOutcome:
        """Send the file's bytes as they are where they can go out so, else what becomes of them."""
        syntax = str(read_file_meta_info(item.path).TransferSyntaxUID)
        if form == item.sop_class_uid and (form, syntax) in self._accepted:
            sent = partial(self._association.store_file, item.path)
            return self._outcome(sent, form, item.sop_instance_uid)
        dataset = read_as(item.path, form)
        sent = partial(self._association.store_dataset, dataset)
        return self._outcome(sent, str(dataset.SOPClassUID), str(dataset.SOPInstanceUID))

    def _outcome(
        self, store: Callable[[], StoreAnswer], sop_class_uid: str, sop_instance_uid: str
    ) -> SendOutcome:
        try:
            answer = store()
        except Ended as error:
            comment = f"{self._peer} did not answer for this object: it {error}"
            return SendOutcome(Verdict.LATER, None, comment, sop_class_uid, sop_instance_uid)
        verdict, words = verdict_on(answer.status)
        said = "".join(filter(str.isprintable, answer.comment))
        comment = f"{self._peer}: {words} ({answer.status:04X}H)" + (f", saying: {said}" if said else "")
        return SendOutcome(
            verdict,
            answer.status,
            "" if verdict is Verdict.SENT else comment,
            sop_class_uid,
            sop_instance_uid,
        )

    def _accepted_form(self, sop_class_uid: str) -> str | None:
        accepted = {sop_class for sop_class, _ in self._accepted}
        return next((form for form in sr_forms(sop_class_uid) if form in accepted), None)

    def _no_context(self, item: ResultObject) -> SendOutcome:
        """The class was not accepted; whether that may pass is in the result (PS3.8 table 9-18)."""
        forms = sr_forms(item.sop_class_uid)
        passing = any(
            context.abstract_syntax in forms and context.result in (1, 2)
            for context in self._association.rejected_contexts
        )
        names = ", ".join(UID(form).name for form in forms)
        verdict = Verdict.DOUBTFUL if passing else Verdict.REFUSED
        return SendOutcome(verdict, comment=f"{self._peer} does not accept {names}")


def read_as(path: Path, sop_class_uid: str) -> Dataset:
    """An object of ours as it leaves when the destination takes this class.

    Raises:
        OSError, InvalidDicomError: our file is gone, or is not what it was.
        ReportError: it has no such form.
    """
    dataset: Dataset = dcmread(path)
    if dataset.SOPClassUID != sop_class_uid:
        dataset = as_sr_class(dataset, sop_class_uid)
    return dataset


def _trouble(error: Exception) -> str:
    match error:
        case ReportError():
            return str(error)
        case ValueError():
            return f"this object could not be encoded: {error}"
        case _:
            return f"our own file of this object is gone: {error}"
