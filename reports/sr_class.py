"""The same report under another SR Storage SOP class, for archives that do not know the first.

What measures uses value types and relationships that Enhanced, Comprehensive and Comprehensive 3D SR
(PS3.3 A.35.2, A.35.3, A.35.13) all allow, and what is only text those of Basic Text SR (A.35.1), which every
other class allows too. So a new class is a new name for the same tree.
"""

from collections.abc import Iterator
from copy import deepcopy
from typing import Final

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import (
    UID,
    BasicTextSRStorage,
    Comprehensive3DSRStorage,
    ComprehensiveSRStorage,
    EnhancedSRStorage,
    ExplicitVRLittleEndian,
)

from reports.context import stable_uid
from reports.errors import ReportError

SR_CLASSES: Final = (Comprehensive3DSRStorage, ComprehensiveSRStorage, EnhancedSRStorage)
"""What we can write measurements as, best first."""
_TEXT_CLASSES: Final = (BasicTextSRStorage, *reversed(SR_CLASSES))


def sr_forms(sop_class_uid: str) -> tuple[str, ...]:
    """The classes that an object of this class can be sent as, its own first."""
    if sop_class_uid == BasicTextSRStorage:
        return tuple(map(str, _TEXT_CLASSES))
    others = SR_CLASSES if sop_class_uid in SR_CLASSES else ()
    return (sop_class_uid, *(str(form) for form in others if form != sop_class_uid))


def as_sr_class(dataset: Dataset, sop_class_uid: str) -> Dataset:
    """A copy of one of our SRs as `sop_class_uid`, with a SOP Instance UID of its own.

    The UID depends on the original's UID and the class alone, so that a retry sends the same object; the
    reports of its class that it names, predecessors and those beside it, are renamed by the same rule, since
    the same archive got them recast alike.

    Raises:
        ReportError: `dataset` is no report, or cannot be written as that class.
    """
    original = str(dataset.SOPClassUID)
    forms = sr_forms(original)
    if len(forms) == 1 or sop_class_uid not in forms:
        raise ReportError(f"{UID(original).name} cannot be written as {UID(sop_class_uid).name}")
    result = deepcopy(dataset)
    if original == sop_class_uid:
        return result
    result.SOPClassUID = UID(sop_class_uid)
    result.SOPInstanceUID = recast_uid(str(dataset.SOPInstanceUID), sop_class_uid)
    for reference in _references(result):
        if reference.ReferencedSOPClassUID == original:
            _recast_reference(reference, sop_class_uid)
    result.file_meta = _file_meta(result)
    return result


def recast_uid(sop_instance_uid: str, sop_class_uid: str) -> str:
    """The SOP Instance UID that a report gets under another class."""
    return stable_uid(sop_instance_uid, "as", sop_class_uid)


def _references(document: Dataset) -> Iterator[Dataset]:
    for keyword in ("PredecessorDocumentsSequence", "CurrentRequestedProcedureEvidenceSequence"):
        for study in document.get(keyword, ()):
            for series in study.ReferencedSeriesSequence:
                yield from series.ReferencedSOPSequence


def _recast_reference(reference: Dataset, sop_class_uid: str) -> None:
    original = str(reference.ReferencedSOPInstanceUID)
    reference.ReferencedSOPClassUID = UID(sop_class_uid)
    reference.ReferencedSOPInstanceUID = recast_uid(original, sop_class_uid)


def _file_meta(dataset: Dataset) -> FileMetaDataset:
    meta = deepcopy(dataset.file_meta) if hasattr(dataset, "file_meta") else FileMetaDataset()
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    meta.TransferSyntaxUID = meta.get("TransferSyntaxUID", ExplicitVRLittleEndian)
    return meta
