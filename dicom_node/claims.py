"""Whose a DICOM object says it is: its patient, its study, and where it lies."""

from collections.abc import Iterator
from dataclasses import dataclass

from pydicom import DataElement, Dataset

from reports.charset import text_of

_FRAME_OF_REFERENCE = "112227"  # (112227, DCM, Frame of Reference UID), a content item of TID 1602


@dataclass(frozen=True, slots=True)
class Claims:
    """What one object says, wherever in it that is said; identifiers verbatim but for padding.

    Attributes:
        studies: every Study Instance UID in it; those of the documents and images it cites among them.
        frames: every Frame of Reference UID in it.
        cited: SOP Instance UIDs of what it cites.
    """

    patient_id: str
    studies: frozenset[str]
    frames: frozenset[str]
    cited: frozenset[str]


def claims_of(dataset: Dataset) -> Claims:
    """What `dataset` claims."""
    found: dict[str, set[str]] = {keyword: set() for keyword in (_STUDY, _FRAME, _CITED)}
    for item, element in _elements(dataset):
        keyword = _FRAME if element.keyword == "UID" and _names_a_frame(item) else element.keyword
        if keyword in found and element.value:
            found[keyword].add(str(element.value).strip(" \0"))
    studies, frames, cited = (frozenset(uids) for uids in found.values())
    return Claims(said(dataset, "PatientID"), studies, frames, cited)


def said(header: Dataset, keyword: str) -> str:
    """The value of a text or UID attribute as one string, decoded, without padding; "" if absent.

    A backslash in one Patient ID is part of it, as it was sent.
    """
    return text_of(header, keyword).strip()


_STUDY, _FRAME, _CITED = "StudyInstanceUID", "FrameOfReferenceUID", "ReferencedSOPInstanceUID"


def _elements(dataset: Dataset) -> Iterator[tuple[Dataset, DataElement]]:
    for element in dataset:
        if element.VR == "SQ":
            for item in element.value:
                yield from _elements(item)
        else:
            yield dataset, element


def _names_a_frame(item: Dataset) -> bool:
    names = item.get("ConceptNameCodeSequence")
    return bool(names) and names[0].get("CodeValue") == _FRAME_OF_REFERENCE
