"""The header of a plain file, taken apart without the library, which needs ten times as long.

Plain: one MR image in Explicit VR Little Endian, its elements well formed and in order (PS3.5 7.1). Of
anything else the library shall say what it is.
"""

import os
import struct
from dataclasses import dataclass
from pathlib import Path

from pydicom.charset import python_encoding
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage

from pipeline.plain import LONG, OF_NO_LENGTH, NotPlain, PlainElements, value_of

_LONGEST_HEAD = 2**18  # real ones take half of it, private elements nearly all
_USUAL_HEAD = 2**14  # enough without them, and an eighth of an image
_META_BEGINS, _META_LENGTH_ENDS = 132, 144
_META_LENGTH = b"\x02\x00\x00\x00UL\x04\x00"
_META_CLASS, _SYNTAX = 0x00020002, 0x00020010
_CHARACTER_SET, _SOP_CLASS = 0x00080005, 0x00080016
_META_TAGS = range(0x00020001, 0x00030000)
_DATASET_TAGS = range(0x00030000, 0x7FE00000)
_PIXEL_DATA = (b"\xe0\x7f\x10\x00OB", b"\xe0\x7f\x10\x00OW")
_UNDEFINED = 0xFFFFFFFF
_DELIMITERS = 0xFFFE
_ITEM = b"\xfe\xff\x00\xe0"
_ITEM_ENDS, _SEQUENCE_ENDS = b"\xfe\xff\x0d\xe0\0\0\0\0", b"\xfe\xff\xdd\xe0\0\0\0\0"
_PLAIN_SYNTAX, _PLAIN_CLASS = ExplicitVRLittleEndian.encode(), MRImageStorage.encode()
_DEEPEST = 8  # sequences in sequences
_ELEMENT, _LENGTH = struct.Struct("<HH2sH"), struct.Struct("<L")
_SHORT = frozenset(b"AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US".split())


@dataclass(frozen=True, slots=True, eq=False)
class Beginning:
    """The first bytes of a file, of which a header takes fewer as a rule, and the size of the whole."""

    head: bytes
    file_size: int


@dataclass(frozen=True, slots=True, eq=False)
class PlainHeader:
    """What `reading.Header` says, of a plain file."""

    dataset: PlainElements
    meta: PlainElements
    pixel_offset: int
    pixel_length: int
    file_size: int
    encapsulated: bool = False
    deflated: bool = False
    transfer_syntax: str = str(ExplicitVRLittleEndian)


class _Unusual(Exception):
    """Something that is better left to the library."""


def scan_file(path: Path) -> PlainHeader | None:
    """What `scan_header` says of a file, of which little is read as a rule.

    Raises:
        OSError: it cannot be read.
    """
    usual = begin(path, _USUAL_HEAD)
    found = scan_header(usual)
    return scan_header(begin(path)) if found is None and usual.file_size > _USUAL_HEAD else found


def begin(path: Path, longest_bytes: int = _LONGEST_HEAD) -> Beginning:
    """So much of a file; without `longest_bytes`, as much as the longest header takes.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb", buffering=0) as file:
        return Beginning(file.read(longest_bytes), os.fstat(file.fileno()).st_size)


def scan_header(beginning: Beginning) -> PlainHeader | None:
    """What `read_header` says; None if the file is not plain."""
    try:
        return _scanned(beginning.head, beginning.file_size)
    except (_Unusual, NotPlain, struct.error):
        return None


def _scanned(head: bytes, size: int) -> PlainHeader | None:
    if head[128:_META_BEGINS] != b"DICM" or head[_META_BEGINS : _META_BEGINS + 8] != _META_LENGTH:
        return None
    (meta_length,) = _LENGTH.unpack_from(head, _META_LENGTH_ENDS - 4)
    meta_end = _META_LENGTH_ENDS + meta_length
    meta, after_meta = _elements(head, _META_LENGTH_ENDS, meta_end, _META_TAGS)
    elements, at = _elements(head, meta_end, len(head), _DATASET_TAGS)
    if after_meta != meta_end or head[at : at + 6] not in _PIXEL_DATA or not _is_plain(meta, elements):
        return None
    (length,) = _LENGTH.unpack_from(head, at + 8)
    return None if length == _UNDEFINED else PlainHeader(elements, meta, at + 12, length, size)


def _is_plain(meta: PlainElements, elements: PlainElements) -> bool:
    return (
        _unpadded(meta, _SYNTAX, "UI") == _PLAIN_SYNTAX
        and _unpadded(meta, _META_CLASS, "UI") is not None
        and _unpadded(elements, _SOP_CLASS, "UI") == _PLAIN_CLASS
        and _is_known(_unpadded(elements, _CHARACTER_SET, "CS"))
    )


def _unpadded(elements: PlainElements, tag: int, vr: str) -> bytes | None:
    """The value of an element, empty if it is not there; None if it is called something else."""
    element = elements.get(tag)
    found, value = value_of(element) if element else (vr, b"")
    return value.rstrip(b"\0 ") if found == vr else None


def _is_known(character_set: bytes | None) -> bool:
    """Whether the library would take it without a word."""
    return character_set is not None and all(
        name.decode("latin-1") in python_encoding for name in character_set.split(b"\\")
    )


def _elements(head: bytes, at: int, end: int, tags: range) -> tuple[PlainElements, int]:
    """The elements in a row and where they end: at `end`, or before the first that lies behind `tags`.

    Raises:
        _Unusual, struct.error: they are not plain.
    """
    found: PlainElements = {}
    unpack, last, stop = _ELEMENT.unpack_from, tags.start - 1, tags.stop
    while at < end:
        group, number, vr, length = unpack(head, at)
        tag = group << 16 | number
        if tag <= last:
            raise _Unusual
        if tag >= stop:
            return found, at
        last = tag
        if vr in _SHORT:
            after = at + 8 + length
            found[tag] = head[at + 4 : after]
        else:
            after, value_end = _after_long(head, at, vr, _DEEPEST)
            found[tag] = head[at + 4 : value_end]
        at = after
    if at > end:
        raise _Unusual
    return found, at


def _after_long(head: bytes, at: int, vr: bytes, deepest: int) -> tuple[int, int]:
    """Where an element with four bytes of length ends, and where what is kept of it does."""
    if vr not in LONG:
        raise _Unusual
    (length,) = _LENGTH.unpack_from(head, at + 8)
    if length == _UNDEFINED:
        if not deepest or head[at + 4 : at + 12] != OF_NO_LENGTH:
            raise _Unusual
        return _after_sequence(head, at + 12, deepest), at + 12
    return at + 12 + length, at + 12 + length


def _after_sequence(head: bytes, at: int, deepest: int) -> int:
    """Behind the delimiter of a sequence of undefined length (PS3.5 7.5.2)."""
    while head[at : at + 8] != _SEQUENCE_ENDS:
        if head[at : at + 4] != _ITEM:
            raise _Unusual
        (length,) = _LENGTH.unpack_from(head, at + 4)
        at = _after_item(head, at + 8, length, deepest)
    return at + 8


def _after_item(head: bytes, at: int, length: int, deepest: int) -> int:
    end = len(head) if length == _UNDEFINED else at + length
    while at < end:
        if length == _UNDEFINED and head[at : at + 8] == _ITEM_ENDS:
            return at + 8
        at = _after_element(head, at, deepest)
    if at > end or length == _UNDEFINED:
        raise _Unusual
    return at


def _after_element(head: bytes, at: int, deepest: int) -> int:
    """Behind an element of an item. One that says how text is encoded the library would look at."""
    group, number, vr, length = _ELEMENT.unpack_from(head, at)
    if group == _DELIMITERS or group << 16 | number == _CHARACTER_SET:
        raise _Unusual
    return at + 8 + length if vr in _SHORT else _after_long(head, at, vr, deepest - 1)[0]
