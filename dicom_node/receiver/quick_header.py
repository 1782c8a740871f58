"""The header that `read_header` reads, in a fifth of the time where a data set is written plainly."""

import struct
from typing import Final

from pydicom.uid import UID, ImplicitVRLittleEndian

from dicom_node.receiver.header import (
    LONGEST_UID,
    MODEL_NAME,
    SOP_CLASS_UID,
    SOP_INSTANCE_UID,
    STUDY_INSTANCE_UID,
    Header,
)

_WANTED = (STUDY_INSTANCE_UID, SOP_INSTANCE_UID, SOP_CLASS_UID, MODEL_NAME)
_SOUGHT = frozenset(_WANTED)
_PIXEL_DATA: Final = 0x7FE00010
_BEFORE_ALL: Final = 0x0007FFFF
_UNDEFINED: Final = 0xFFFFFFFF
_ITEM, _END_OF_SEQUENCE = 0xFFFEE000, 0xFFFEE0DD
_SHORT = frozenset(b"AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US".split())
_LONG = frozenset(b"OB OD OF OL OV OW SQ SV UC UN UR UT UV".split())
_EXPLICIT, _IMPLICIT = struct.Struct("<HH2sH"), struct.Struct("<HHL")
_LENGTH = struct.Struct("<L")


class _Unusual(Exception):
    """Something that is better left to pydicom."""


def quick_header(encoded: memoryview, transfer_syntax: UID) -> Header | None:
    """Read `encoded`, a data set without file meta, up to its pixel data.

    None says nothing against it: only that it is not plain. Plain is little endian and not deflated, its
    top-level tags in order with known VRs and defined lengths, which fill it exactly or up to its pixel data,
    and the three UIDs among them. In all these cases `read_header` says the same.
    """
    if transfer_syntax.is_deflated or not transfer_syntax.is_little_endian:
        return None
    find = _in_implicit if transfer_syntax == ImplicitVRLittleEndian else _in_explicit
    try:
        found = find(encoded)
    except (_Unusual, struct.error):
        return None
    study, instance, sop_class, model = (_text(encoded, found.get(tag)) for tag in _WANTED)
    if not all(0 < len(uid) <= LONGEST_UID for uid in (study, instance, sop_class)):
        return None
    return Header(study, instance, sop_class, model)


def _text(encoded: memoryview, value: slice | None) -> str:
    return str(encoded[value], "latin-1").strip("\0 ") if value else ""


def _in_explicit(encoded: memoryview) -> dict[int, slice]:
    """Where the wanted values lie in Explicit VR Little Endian (PS3.5 7.1.2)."""
    found: dict[int, slice] = {}
    last, at, end = _BEFORE_ALL, 0, len(encoded)
    element_at, short, sought = _EXPLICIT.unpack_from, _SHORT, _SOUGHT  # asked a hundred times per image
    while at < end:
        group, number, vr, length = element_at(encoded, at)
        at += 8
        if vr not in short:
            if vr not in _LONG:
                raise _Unusual
            (length,) = _LENGTH.unpack_from(encoded, at)
            at += 4
        tag = group << 16 | number
        if not last < tag < _PIXEL_DATA:
            _check_pixels(encoded, at, tag, length)
            return found
        if tag in sought:
            found[tag] = slice(at, at + length)
        last, at = tag, at + length
    if at > end:
        raise _Unusual
    return found


def _in_implicit(encoded: memoryview) -> dict[int, slice]:
    """Where they lie in Implicit VR Little Endian (PS3.5 7.1.3)."""
    if bytes(encoded[4:6]).isupper():
        raise _Unusual  # a VR where there should be none
    found: dict[int, slice] = {}
    last, at, end = _BEFORE_ALL, 0, len(encoded)
    while at < end:
        group, number, length = _IMPLICIT.unpack_from(encoded, at)
        at += 8
        tag = group << 16 | number
        if not last < tag < _PIXEL_DATA:
            _check_pixels(encoded, at, tag, length)
            return found
        if tag in _SOUGHT:
            found[tag] = slice(at, at + length)
        last, at = tag, at + length
    if at > end:
        raise _Unusual
    return found


def _check_pixels(encoded: memoryview, at: int, tag: int, length: int) -> None:
    """What ended the walk is pixel data, and complete."""
    if tag != _PIXEL_DATA:
        raise _Unusual
    if length == _UNDEFINED:
        _check_fragments(encoded, at)
    elif at + length > len(encoded):
        raise _Unusual


def _check_fragments(encoded: memoryview, at: int) -> None:
    """Step over encapsulated pixel data (PS3.5 A.4) to the delimiter behind its last fragment."""
    while True:
        group, number, length = _IMPLICIT.unpack_from(encoded, at)
        tag = group << 16 | number
        if tag == _END_OF_SEQUENCE:
            return
        if tag != _ITEM:
            raise _Unusual
        at += 8 + length
