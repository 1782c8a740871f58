"""Invalid UIDs, hidden from the library that writes and put back when it is done.

A study whose UIDs break PS3.5 9.1 (a leading zero in a component is common) must be cited as it is; highdicom
and pydicom warn about, or refuse, every such value. They see a valid stand-in instead.
"""

import re

from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from reports.context import stable_uid

_VALID = re.compile(r"(0|[1-9]\d*)(\.(0|[1-9]\d*))*")


class StandIns:
    """The UIDs of one result that are not what they seem."""

    def __init__(self) -> None:
        self._originals: dict[str, str] = {}

    def of(self, uid: str) -> str:
        """`uid` if it is valid, else a valid one that `undone` turns back into it."""
        if _VALID.fullmatch(uid) and len(uid) <= 64:
            return uid
        stand_in = stable_uid("stand-in", uid)
        self._originals[stand_in] = uid
        return stand_in

    def undone(self, dataset: Dataset) -> Dataset:
        """A plain pydicom copy (no subclasses anywhere in it) with every original UID in its place."""
        plain = Dataset()
        for element in dataset:
            plain.add(self._element(element))
        return plain

    def _element(self, element: DataElement) -> DataElement:
        if element.VR == "SQ":
            items = [self.undone(item) for item in element.value]
            return DataElement(element.tag, "SQ", Sequence(items))
        if element.VR == "UI" and str(element.value) in self._originals:
            return DataElement(element.tag, "UI", self._originals[str(element.value)], already_converted=True)
        return element
