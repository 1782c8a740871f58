"""The header of a plain file, taken apart without the library, which needs ten times as long.

Plain: one MR image in Explicit VR Little Endian, its elements well formed and in order (PS3.5 7.1). Of
anything else the library shall say what it is.
"""

import os
import struct
from dataclasses import dataclass
from functools import lru_cache
from io import FileIO
from pathlib import Path

from pydicom.charset import python_encoding
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage

from pipeline.plain import NotPlain, PlainElements, value_of
from pipeline.stretches import Stretches
from pipeline.walk import CHARACTER_SET, LENGTH, UNDEFINED, Unusual, walk

_LONGEST_HEAD = 2**18  # real ones take half of it, private elements nearly all
USUAL_HEAD = 2**14
"""Bytes: enough without private elements, and an eighth of an image."""
_META_BEGINS, _META_LENGTH_ENDS = 132, 144
_META_LENGTH = b"\x02\x00\x00\x00UL\x04\x00"
_META_CLASS, _SYNTAX = 0x00020002, 0x00020010
_SOP_CLASS, _STUDY, _SERIES = 0x00080016, 0x0020000D, 0x0020000E
_META_TAGS = range(0x00020001, 0x00030000)
_DATASET_TAGS = range(0x00030000, 0x7FE00000)
_PIXEL_DATA = (b"\xe0\x7f\x10\x00OB", b"\xe0\x7f\x10\x00OW")
_PLAIN_SYNTAX, _PLAIN_CLASS = ExplicitVRLittleEndian.encode(), MRImageStorage.encode()
_STRETCHES = Stretches()


@dataclass(frozen=True, slots=True, eq=False)
class Beginning:
    """The first bytes of a file, of which a header takes fewer as a rule, and what the disk says of it.

    `modified_s` counts from 1970, as `os.stat` does.
    """

    head: bytes
    file_size: int
    modified_s: float


@dataclass(frozen=True, slots=True, eq=False)
class PlainHeader:
    """What `reading.Header` says, of a plain file."""

    dataset: PlainElements
    meta: PlainElements
    pixel_offset: int
    pixel_length: int
    file_size: int
    modified_s: float
    encapsulated: bool = False
    deflated: bool = False
    transfer_syntax: str = str(ExplicitVRLittleEndian)


def scan_file(path: Path, beginning: Beginning | None = None) -> PlainHeader | None:
    """What `scan_header` says of a file, of which little is read as a rule.

    Raises:
        OSError: it cannot be read.
    """
    begun = beginning or begin(path, USUAL_HEAD)
    found = scan_header(begun)
    longer = len(begun.head) < min(begun.file_size, _LONGEST_HEAD)
    return scan_header(begin(path)) if found is None and longer else found


def begin(path: Path, longest_bytes: int = _LONGEST_HEAD) -> Beginning:
    """So much of a file; without `longest_bytes`, as much as the longest header takes.

    Raises:
        OSError: it cannot be read.
    """
    with FileIO(path) as file:
        head, status = file.read(longest_bytes), os.fstat(file.fileno())
        return Beginning(head, status.st_size, status.st_mtime)


def scan_header(beginning: Beginning) -> PlainHeader | None:
    """What `read_header` says; None if the file is not plain."""
    try:
        return _scanned(beginning)
    except (Unusual, NotPlain, struct.error):
        return None


def _scanned(beginning: Beginning) -> PlainHeader | None:
    head = beginning.head
    if head[128:_META_BEGINS] != b"DICM" or head[_META_BEGINS : _META_BEGINS + 8] != _META_LENGTH:
        return None
    (meta_length,) = LENGTH.unpack_from(head, _META_LENGTH_ENDS - 4)
    meta_end = _META_LENGTH_ENDS + meta_length
    meta, after_meta, _ = walk(head, _META_LENGTH_ENDS, meta_end, _META_TAGS, _STRETCHES)
    elements, at, alone = walk(head, meta_end, len(head), _DATASET_TAGS, _STRETCHES)
    if (
        after_meta != meta_end
        or head[at : at + 6] not in _PIXEL_DATA
        or not _is_plain(
            meta.get(_SYNTAX), meta.get(_META_CLASS), elements.get(_SOP_CLASS), elements.get(CHARACTER_SET)
        )
    ):
        return None
    # copies of one study, each under a study's UID of its own, keep the UIDs of their series
    series = elements.get(_STUDY, b""), elements.get(_SERIES, b"")
    _STRETCHES.learn(series, head, alone, elements)
    (length,) = LENGTH.unpack_from(head, at + 8)
    if length == UNDEFINED:
        return None
    return PlainHeader(elements, meta, at + 12, length, beginning.file_size, beginning.modified_s)


@lru_cache(maxsize=64)
def _is_plain(
    syntax: bytes | None, meta_class: bytes | None, sop_class: bytes | None, character_set: bytes | None
) -> bool:
    return (
        _unpadded(syntax, "UI") == _PLAIN_SYNTAX
        and _unpadded(meta_class, "UI") is not None
        and _unpadded(sop_class, "UI") == _PLAIN_CLASS
        and _is_known(_unpadded(character_set, "CS"))
    )


def _unpadded(element: bytes | None, vr: str) -> bytes | None:
    """The value of an element, empty if it is not there; None if it is called something else."""
    found, value = value_of(element) if element else (vr, b"")
    return value.rstrip(b"\0 ") if found == vr else None


def _is_known(character_set: bytes | None) -> bool:
    """Whether the library would take it without a word."""
    return character_set is not None and all(
        name.decode("latin-1") in python_encoding for name in character_set.split(b"\\")
    )
