"""A data set as its top-level elements, in Explicit VR Little Endian (PS3.5 7.1.2), free to be wrong."""

import struct
from dataclasses import dataclass

from pydicom.dataset import Dataset
from pynetdicom.dsutils import encode

LONG_FORM = (b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV")
UNDEFINED = 0xFFFFFFFF
END_OF_ITEM = struct.pack("<HHL", 0xFFFE, 0xE00D, 0)
END_OF_SEQUENCE = struct.pack("<HHL", 0xFFFE, 0xE0DD, 0)


@dataclass
class Element:
    """One element; `length` is what it claims, if that is not the truth."""

    tag: int
    vr: bytes
    value: bytes
    length: int | None = None

    def encoded(self) -> bytes:
        value = self.value + b"\0" * (len(self.value) % 2)
        length = len(value) if self.length is None else self.length
        head = struct.pack("<HH2s", self.tag >> 16, self.tag & 0xFFFF, self.vr[:2].ljust(2))
        if self.vr in LONG_FORM:
            return head + struct.pack("<HL", 0, length & 0xFFFFFFFF) + value
        return head + struct.pack("<H", max(0, min(length, 0xFFFF))) + value[:0xFFFF]


Elements = list[Element]


def elements_of(dataset: Dataset) -> Elements:
    """Each element of a data set, sequences as bytes, without group lengths (PS3.5 7.2)."""
    return [_element(dataset, tag) for tag in map(int, dataset.keys()) if tag & 0xFFFF]


def encoded(elements: Elements) -> bytes:
    """The data set as it is sent."""
    return b"".join(element.encoded() for element in elements)


def nested(depth: int, tag: int = 0x00081140) -> Element:
    """A sequence in a sequence, `depth` of them, none with a length."""
    item = struct.pack("<HHL", 0xFFFE, 0xE000, UNDEFINED)
    opening = struct.pack("<HH2sHL", tag >> 16, tag & 0xFFFF, b"SQ", 0, UNDEFINED) + item
    inside = opening * (depth - 1) + (END_OF_ITEM + END_OF_SEQUENCE) * (depth - 1)
    return Element(tag, b"SQ", item + inside + END_OF_ITEM + END_OF_SEQUENCE, UNDEFINED)


def _element(dataset: Dataset, tag: int) -> Element:
    alone = Dataset()
    alone[tag] = dataset[tag]
    whole = encode(alone, False, True)
    assert whole is not None
    vr = whole[4:6]
    long = vr in LONG_FORM
    (length,) = struct.unpack_from("<L" if long else "<H", whole, 8 if long else 6)
    return Element(tag, vr, whole[12 if long else 8 :], length if length == UNDEFINED else None)
