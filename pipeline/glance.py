"""A look at a file whose facts are known: is it still that file, and whose does it say it is?

An index that read the header when the file came need not have it parsed again by a library, which takes ten
times as long as this walk along the elements (PS3.5 7.1).
"""

import os
import struct
from functools import lru_cache
from pathlib import Path

from pydicom.uid import UID, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from pipeline.facts import InstanceFacts

_LARGEST_HEADER = 2**18  # bytes; a larger one is left to the library
_META_LENGTH_ENDS = 144
_UNDEFINED = 0xFFFFFFFF
_ITEM_ENDS, _SEQUENCE_ENDS = 0xFFFEE00D, 0xFFFEE0DD
_LONG = frozenset((b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"))
_OF_SHORT_LENGTH = frozenset(b"AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US".split())
_SHORT, _LENGTH = struct.Struct("<HH2sH"), struct.Struct("<I")
_WHOSE = _CHARACTER_SET, _NAME, _PATIENT_ID = 0x00080005, 0x00100010, 0x00100020


def glance(path: Path, facts: InstanceFacts) -> bytes | None:
    """Who the patient is, byte for byte; None if the file is another by now, or needs a closer look.

    It is the same if its pixels lie where `facts` say, and it names the same instance, study and frame of
    reference. Files with equal answers name the same patient.
    """
    if not 0 < facts.pixel_offset <= _LARGEST_HEADER:
        return None
    try:
        head, size = _begun(path, facts.pixel_offset)
        if not _pixels_follow(head, facts, size):
            return None
        explicit = facts.transfer_syntax_uid != ImplicitVRLittleEndian
        return _whose(head, explicit=explicit) if _names(head, facts, explicit=explicit) else None
    except (OSError, struct.error, RecursionError):
        return None


def _begun(path: Path, length: int) -> tuple[bytes, int]:
    """The first `length` bytes of a file, and how many it has in all."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        return os.read(descriptor, length), os.fstat(descriptor).st_size
    finally:
        os.close(descriptor)


def _names(head: bytes, facts: InstanceFacts, *, explicit: bool) -> bool:
    """Whether the header has the elements that name instance, study and frame of reference as known."""
    for group, number, uid in (
        (0x0008, 0x0018, facts.sop_instance_uid),
        (0x0020, 0x000D, facts.study_instance_uid),
        (0x0020, 0x0052, facts.frame_of_reference_uid),
    ):
        if uid and _uid(group, number, uid, explicit) not in head:
            return False
    return True


@lru_cache(maxsize=16)
def _uid(group: int, number: int, uid: str, explicit: bool) -> bytes:
    """An element of VR UI, padded as PS3.5 9.1 wants it."""
    value = uid.encode("utf-8") + b"\0" * (len(uid) % 2)
    if explicit:
        return struct.pack("<HH2sH", group, number, b"UI", len(value)) + value
    return struct.pack("<HHI", group, number, len(value)) + value


def _pixels_follow(head: bytes, facts: InstanceFacts, size: int) -> bool:
    """Whether Pixel Data begins and ends where the index saw it (PS3.5 A.1, A.2, A.4)."""
    there = facts.pixel_offset + facts.pixel_length
    if facts.transfer_syntax_uid in (ImplicitVRLittleEndian, ExplicitVRLittleEndian):
        explicit = facts.transfer_syntax_uid == ExplicitVRLittleEndian
        return there <= size and head.endswith(_pixel_data(facts.pixel_length, explicit))
    whole = UID(facts.transfer_syntax_uid).is_encapsulated and there == size
    return whole and head.endswith(_pixel_data(_UNDEFINED, explicit=True))


@lru_cache(maxsize=16)
def _pixel_data(length: int, explicit: bool) -> tuple[bytes, ...]:
    """How Pixel Data of a stated length may begin, up to its value."""
    if explicit:
        return tuple(struct.pack("<HH2sHI", 0x7FE0, 0x0010, vr, 0, length) for vr in (b"OW", b"OB"))
    return (struct.pack("<HHI", 0x7FE0, 0x0010, length),)


def _whose(head: bytes, *, explicit: bool) -> bytes:
    """Character set, name and ID of the patient; struct.error if the elements do not add up."""
    (meta_length,) = struct.unpack_from("<I", head, _META_LENGTH_ENDS - 4)
    at, tag, seen = _META_LENGTH_ENDS + meta_length, 0, dict.fromkeys(_WHOSE, b"")
    element_at, end = _SHORT.unpack_from, len(head)  # asked a score of times per file
    while at < end and tag < _PATIENT_ID:
        group, number, vr, length = element_at(head, at)
        if explicit and vr in _OF_SHORT_LENGTH:
            tag, start, at = group << 16 | number, at + 8, at + 8 + length
        else:
            tag, start, at = _element(head, at, explicit)
        if tag in seen:
            seen[tag] = head[start:at]
    return b"\0\\".join(seen.values())


def _element(head: bytes, at: int, explicit: bool) -> tuple[int, int, int]:
    """The tag of an element, where its value begins, and where the next one does."""
    group, number, vr, length = _SHORT.unpack_from(head, at)
    start = at + 8
    if not explicit or group == 0xFFFE:
        vr, (length,) = b"", _LENGTH.unpack_from(head, at + 4)
    elif vr in _LONG:
        (length,), start = _LENGTH.unpack_from(head, at + 8), at + 12
    tag = group << 16 | number
    if length != _UNDEFINED:
        return tag, start, start + length
    # a sequence, or an item; what has no VR of its own (UN) is encoded without (PS3.5 6.2.2)
    inner_explicit = explicit and vr != b"UN"
    inner, end = 0, start
    while inner not in (_ITEM_ENDS, _SEQUENCE_ENDS):
        inner, _, end = _element(head, end, inner_explicit)
    return tag, start, end
