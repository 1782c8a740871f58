"""Private attributes that say where a plane lies in its stack and its beat, and nothing of a person.

Readers of cardiac MR need them where the standard attributes are empty (PS3.15 E.3.10: Retain Safe
Private). All other private attributes are removed.
"""

import struct
from dataclasses import dataclass

from pydicom.dataset import Dataset

from dicom_node.deidentify.elements import Elements, ascii_text
from pipeline.header import private, whole


@dataclass(frozen=True, slots=True)
class _Safe:
    group: int
    element: int
    creator: str
    vr: str


_PHILIPS, _ACQUISITION, _RELATION = "Philips Imaging DD 001", "GEMS_ACQU_01", "GEMS_RELA_01"
_SAFE = (
    _Safe(0x0019, 0xD7, _ACQUISITION, "SS"),  # phase number
    _Safe(0x0021, 0x4F, _RELATION, "SS"),  # locations in the acquisition
    _Safe(0x2001, 0x08, _PHILIPS, "IS"),  # phase number
    _Safe(0x2001, 0x0A, _PHILIPS, "IS"),  # slice number
    _Safe(0x2001, 0x17, _PHILIPS, "SL"),  # number of phases
    _Safe(0x2001, 0x18, _PHILIPS, "SL"),  # number of slices
)
_FORMATS = {"SS": "<h", "SL": "<i"}
_LARGEST = 32_767


def safe_private(dataset: Dataset) -> Elements:
    """What stays, with the creators it needs, in block 10 of each group."""
    found: Elements = {}
    for safe in _SAFE:
        tag = private(dataset, safe.group, safe.element, safe.creator)
        value = whole(dataset, tag, safe.vr) if tag else None
        if value is None or not 0 <= value <= _LARGEST:
            continue
        found[safe.group << 16 | 0x0010] = ascii_text("LO", safe.creator)
        place = safe.group << 16 | 0x1000 | safe.element
        binary = _FORMATS.get(safe.vr)
        found[place] = (safe.vr, struct.pack(binary, value)) if binary else ascii_text("IS", str(value))
    return found
