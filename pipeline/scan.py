"""The header of a plain file, taken apart without the library, which needs ten times as long.

Plain: one MR image in Explicit VR Little Endian, its elements well formed and in order (PS3.5 7.1). Of
anything else the library shall say what it is.
"""

import os
import struct
from pathlib import Path

from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.tag import BaseTag
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage

from pipeline.reading import Header

_LONGEST_HEAD = 2**16
_META_BEGINS, _META_LENGTH_ENDS = 132, 144
_META_LENGTH = b"\x02\x00\x00\x00UL\x04\x00"
_SYNTAX, _SOP_CLASS, _PIXELS = 0x00020010, 0x00080016, 0x7FE00010
_UNDEFINED = 0xFFFFFFFF
_NUMBERS = (b"AT", b"FD", b"FL", b"SL", b"SS", b"UL", b"US")
_WORDS = (b"AE", b"AS", b"CS", b"DA", b"DS", b"DT", b"IS", b"LO", b"LT", b"PN", b"SH", b"ST", b"TM", b"UI")
_LONG = frozenset((b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"))
_TEXT = {vr: vr.decode() for vr in (*_NUMBERS, *_WORDS, *_LONG)}
_Elements = dict[BaseTag, DataElement | RawDataElement]


def scan_header(path: Path) -> Header | None:
    """What `read_header` gives, with raw elements alone; None if the file is not plain, or cannot be read."""
    try:
        with path.open("rb", buffering=0) as file:
            head = file.read(_LONGEST_HEAD)
            size = os.fstat(file.fileno()).st_size
        return _scanned(head, size)
    except (OSError, struct.error):
        return None


def _scanned(head: bytes, size: int) -> Header | None:
    if head[128:_META_BEGINS] != b"DICM" or head[_META_BEGINS : _META_BEGINS + 8] != _META_LENGTH:
        return None
    (meta_length,) = struct.unpack_from("<I", head, _META_LENGTH_ENDS - 4)
    meta_end = _META_LENGTH_ENDS + meta_length
    meta, after_meta = _elements(head, _META_LENGTH_ENDS, meta_end)
    elements, pixels_at = _elements(head, meta_end, len(head))
    pixels = elements.pop(BaseTag(_PIXELS), None)
    if pixels is None or after_meta != meta_end or not _is_plain(meta, elements):
        return None
    dataset = Dataset(elements)
    dataset.file_meta = FileMetaDataset(meta)
    length = pixels.length if isinstance(pixels, RawDataElement) else 0
    return Header(dataset, pixels_at, length, encapsulated=False, file_size=size)


def _is_plain(meta: _Elements, elements: _Elements) -> bool:
    wanted = ((meta, _SYNTAX, ExplicitVRLittleEndian), (elements, _SOP_CLASS, MRImageStorage))
    return all(_uid(found.get(BaseTag(tag))) == uid.encode() for found, tag, uid in wanted) and all(
        tag.group == 2 for tag in meta
    )


def _uid(element: DataElement | RawDataElement | None) -> bytes:
    return (element.value or b"").rstrip(b"\0 ") if element is not None else b""


def _elements(head: bytes, at: int, end: int) -> tuple[_Elements, int]:
    """The elements in a row and where they end; with Pixel Data, where its value begins. None: not plain."""
    found: _Elements = {}
    last = -1
    while at < end:
        group, number, vr, length = struct.unpack_from("<HH2sH", head, at)
        start = at + 8
        if vr in _LONG:
            (length,), start = struct.unpack_from("<I", head, at + 8), at + 12
        place = group << 16 | number  # a tag compares itself in Python
        if place <= last or vr not in _TEXT or length == _UNDEFINED:
            return {}, at
        at, last, tag = start + length, place, BaseTag(place)
        found[tag] = RawDataElement(tag, _TEXT[vr], length, head[start:at], start, False, True)
        if place == _PIXELS:
            return (found, start) if vr in (b"OB", b"OW") else ({}, at)
        if at > end:
            return {}, at
    return found, at
