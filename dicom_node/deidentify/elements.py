"""Data elements as they are written: Explicit VR Little Endian (PS3.5 7.1.2), every byte ours."""

import struct
from collections.abc import Iterable, Mapping

from pydicom.datadict import tag_for_keyword

_LONG = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"})
_ITEM = 0xFFFE, 0xE000

Elements = dict[int, tuple[str, bytes]]
"""Tag → representation and value."""


def tag_of(keyword: str) -> int:
    """The tag of an attribute of the standard."""
    tag = tag_for_keyword(keyword)
    if tag is None:
        raise KeyError(keyword)
    return tag


def encoded(elements: Mapping[int, tuple[str, bytes]]) -> bytes:
    """The elements in the order of their tags."""
    return b"".join(
        element_head(tag, vr, len(value)) + value for tag, (vr, value) in sorted(elements.items())
    )


def element_head(tag: int, vr: str, length: int) -> bytes:
    """What stands before a value."""
    group, number = tag >> 16, tag & 0xFFFF
    if vr in _LONG:
        return struct.pack("<HH2sHL", group, number, vr.encode(), 0, length)
    return struct.pack("<HH2sH", group, number, vr.encode(), length)


def sequence(items: Iterable[Mapping[int, tuple[str, bytes]]]) -> tuple[str, bytes]:
    """Representation and value of a sequence of these items."""
    contents = [encoded(item) for item in items]
    return "SQ", b"".join(struct.pack("<HHL", *_ITEM, len(content)) + content for content in contents)


def ascii_text(vr: str, text: str) -> tuple[str, bytes]:
    """Representation and value of a text, padded to even length (PS3.5 6.2)."""
    value = text.encode("ascii")
    return vr, value + (b"\0" if vr == "UI" else b" ") * (len(value) % 2)


def short(number: int) -> tuple[str, bytes]:
    """Representation and value of a US."""
    return "US", struct.pack("<H", number)
