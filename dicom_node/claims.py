"""Whose a DICOM object says it is: its patient, its study, and where it lies."""

from collections.abc import Iterator
from dataclasses import dataclass

from pydicom import DataElement, Dataset

from reports.charset import text_of

STUDY, FRAME, CITED = 0x0020000D, 0x00200052, 0x00081155
UID_VALUE = 0x0040A124  # the value of a content item, whatever it names
FRAME_OF_REFERENCE = "112227"  # (112227, DCM, Frame of Reference UID), a content item of TID 1602


@dataclass(frozen=True, slots=True)
class Claims:
    """What one object says, wherever in it that is said; identifiers verbatim but for padding.

    Attributes:
        sop_instance_uid: which object it says it is.
        studies: every Study Instance UID in it; those of the documents and images it cites among them.
        frames: every Frame of Reference UID in it.
        cited: SOP Instance UIDs of what it cites.
    """

    sop_instance_uid: str
    patient_id: str
    studies: frozenset[str]
    frames: frozenset[str]
    cited: frozenset[str]


def claims_of(dataset: Dataset) -> Claims:
    """What `dataset` claims."""
    found: dict[int, set[str]] = {tag: set() for tag in (STUDY, FRAME, CITED)}
    for item, element in _named(dataset):
        tag = int(element.tag) if element.tag != UID_VALUE else FRAME if _names_a_frame(item) else None
        if tag is not None and element.value:
            found[tag].add(str(element.value).strip(" \0"))
    studies, frames, cited = (frozenset(uids) for uids in found.values())
    return Claims(said(dataset, "SOPInstanceUID"), said(dataset, "PatientID"), studies, frames, cited)


def said(header: Dataset, keyword: str) -> str:
    """The value of a text or UID attribute as one string, decoded, without padding; "" if absent.

    A backslash in one Patient ID is part of it, as it was sent.
    """
    return text_of(header, keyword).strip()


_WANTED = frozenset((STUDY, FRAME, CITED, UID_VALUE))
_SEQUENCES = ("SQ", None)
"""None: in Implicit VR nothing is known of an element until it is looked up."""


def _named(dataset: Dataset) -> Iterator[tuple[Dataset, DataElement]]:
    """Every element, at any depth, that may name one of ours; the others stay undecoded, which takes long."""
    for raw in dataset.elements():
        if int(raw.tag) in _WANTED:  # a tag compares itself in Python
            yield dataset, dataset[raw.tag]
        elif raw.VR in _SEQUENCES and (element := dataset[raw.tag]).VR == "SQ":
            for item in element.value:
                yield from _named(item)


def _names_a_frame(item: Dataset) -> bool:
    names = item.get("ConceptNameCodeSequence")
    return bool(names) and names[0].get("CodeValue") == FRAME_OF_REFERENCE
