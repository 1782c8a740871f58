"""What a destination gave back, against what we sent; whichever way it came."""

from collections.abc import Sequence
from dataclasses import dataclass

from pydicom import Dataset
from pydicom.errors import InvalidDicomError

from dicom_node.delivery.content_digest import difference
from dicom_node.delivery.proof import Finding, Found, SentObject
from dicom_node.delivery.storage_scu import read_as
from pipeline.header import UNREADABLE
from reports import ReportError

ROOM_BYTES = 1_000_000
"""So much more than ours an object may take there, for whatever the archive adds to its file."""


@dataclass(frozen=True, slots=True)
class OwnForm:
    """An object of ours in the form in which it arrived, and the most that it may take on its way back."""

    dataset: Dataset
    most_bytes: int


def own_form(one: SentObject) -> OwnForm | Finding:
    """What should come back; or, if our own file cannot be used, that nothing can be said."""
    try:
        return OwnForm(read_as(one.path, one.sop_class_uid), 2 * one.path.stat().st_size + ROOM_BYTES)
    except (OSError, InvalidDicomError, ReportError) as error:
        return Finding(Found.UNKNOWN, f"our own file of this object cannot be used: {error}")


def compare(name: str, ours: Dataset, theirs: Dataset) -> Finding:
    """Proof if every element is the same; `theirs` may be anything."""
    try:
        different = difference(ours, theirs)
    except UNREADABLE as error:
        return Finding(Found.DIFFERENT, f"what {name} gave back cannot be read ({type(error).__name__})")
    words = f"{name} holds another object under this UID; it differs in {different}"
    return Finding(Found.DIFFERENT, words) if different else Finding(Found.PROVED)


def missing_if_unlisted(returned: Sequence[Finding], listed: Sequence[Finding]) -> list[Finding]:
    """What could not be given back, for whatever reason, is missing if it is not listed either."""
    return [
        there if one.found is Found.UNKNOWN and there.found is Found.MISSING else one
        for one, there in zip(returned, listed, strict=True)
    ]
