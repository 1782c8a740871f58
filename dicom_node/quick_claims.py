"""Whose an object of ours says it is, told from its bytes, for which the library needs twenty times as long.

Plain: Explicit VR Little Endian, every length stated, elements in order (PS3.5 7.1), a Patient ID in letters
and digits: what we write as a rule. Of anything else `dicom_node.claims` has the library say whose it is.
"""

import re
import struct
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Final, final

from pydicom.uid import ExplicitVRLittleEndian

from dicom_node.claims import CITED, FRAME, FRAME_OF_REFERENCE, STUDY, UID_VALUE, Claims

_META_LENGTH: Final = b"DICM\x02\x00\x00\x00UL\x04\x00"
_META_BEGINS, _META_LENGTH_AT, _META_ELEMENTS_AT = 128, 140, 144
_SYNTAX, _CHARACTER_SET, _SOP_INSTANCE, _PATIENT_ID = 0x00020010, 0x00080005, 0x00080018, 0x00100020
_CONCEPT, _CODE = 0x0040A043, 0x00080100
_PIXELS = frozenset((0x7FE00008, 0x7FE00009, 0x7FE00010))  # floats, doubles and the usual kind
_ITEM: Final = 0xFFFEE000
_DELIMITERS: Final = 0xFFFE0000
_DEEPEST = 16  # sequences in sequences
_ELEMENT, _LENGTH, _ITEM_HEAD = struct.Struct("<HH2sH"), struct.Struct("<L"), struct.Struct("<HHL")
_SHORT = frozenset(b"AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US".split())
_LONG = frozenset(b"OB OD OF OL OV OW SQ SV UC UR UT UV".split())
_NAMING = {STUDY, FRAME, CITED, UID_VALUE}
_VR = dict.fromkeys((*_NAMING, _SYNTAX, _SOP_INSTANCE), b"UI")
_VR |= {_CHARACTER_SET: b"CS", _PATIENT_ID: b"LO", _CODE: b"SH"}
_NOTED = {*_VR, *_PIXELS}
_PLAIN_SYNTAX, _FRAME_OF_REFERENCE = ExplicitVRLittleEndian.encode(), FRAME_OF_REFERENCE.encode()
_PADDING: Final = b"\0 "
_PLAIN_UID = re.compile(rb"[0-9.]*[\0 ]*")
_PLAIN_ID = re.compile(rb"[A-Za-z0-9 ._:/+-]*\0?")  # the same in every character set


class _Unusual(Exception):
    """Something that is better left to the library."""


def quick_claims(head: bytes, *, whole: bool) -> Claims | None:
    """What `claims.claims_of` says of a file that begins so, or is so; None if it is not plain."""
    try:
        return _claims(head, whole=whole)
    except (_Unusual, struct.error):
        return None


def _claims(head: bytes, *, whole: bool) -> Claims:
    if head[_META_BEGINS:_META_LENGTH_AT] != _META_LENGTH:
        raise _Unusual
    begin = _META_ELEMENTS_AT + _LENGTH.unpack_from(head, _META_LENGTH_AT)[0]
    walk = _Walk(head)
    meta = walk.elements(_META_ELEMENTS_AT, begin)
    if begin > len(head) or meta.get(_SYNTAX, b"").rstrip(_PADDING) != _PLAIN_SYNTAX:
        raise _Unusual
    said = walk.elements(begin, len(head), stop=_PIXELS)
    if not whole and _PIXELS.isdisjoint(said):
        raise _Unusual
    return Claims(
        sop_instance_uid=_uid(said.get(_SOP_INSTANCE, b"")),
        patient_id=_matching(_PLAIN_ID, said.get(_PATIENT_ID, b"")),
        studies=frozenset(walk.named[STUDY]),
        frames=frozenset(walk.named[FRAME]),
        cited=frozenset(walk.named[CITED]),
    )


@final
@dataclass(frozen=True, slots=True)
class _Walk:
    """One way through elements and items, and the UIDs found on it."""

    head: bytes
    named: dict[int, set[str]] = field(default_factory=lambda: {tag: set() for tag in (STUDY, FRAME, CITED)})

    def elements(self, at: int, end: int, depth: int = 0, stop: Collection[int] = ()) -> dict[int, bytes]:
        """What the elements of one data set say, as far as it is noted; what they name is `named`.

        Raises:
            _Unusual, struct.error: they are not plain.
        """
        said: dict[int, bytes] = {}
        concept = b""
        for tag, vr, begin, after in _elements(self.head, at, end, stop):
            if vr == b"SQ":
                first = self._items(begin, after, depth + 1)
                concept = first if tag == _CONCEPT else concept
            elif tag in _NAMING:
                self._name(tag, self.head[begin:after], concept)
            elif tag in _NOTED:
                said[tag] = self.head[begin:after]
        return said

    def _items(self, at: int, end: int, depth: int) -> bytes:
        """Go through the items of a sequence; the Code Value of the first."""
        if depth > _DEEPEST:
            raise _Unusual
        codes = []
        while at < end:
            group, number, length = _ITEM_HEAD.unpack_from(self.head, at)
            begin, at = at + 8, at + 8 + length
            if group << 16 | number != _ITEM or at > end:
                raise _Unusual
            codes.append(self.elements(begin, at, depth).get(_CODE, b""))
        return codes[0] if codes else b""

    def _name(self, tag: int, value: bytes, concept: bytes) -> None:
        if tag == UID_VALUE:
            if concept.rstrip(_PADDING) != _FRAME_OF_REFERENCE:
                return
            tag = FRAME
        if uid := _uid(value):
            self.named[tag].add(uid)


def _elements(head: bytes, at: int, end: int, stop: Collection[int]) -> Iterator[tuple[int, bytes, int, int]]:
    """Tag, VR, and from where to where the value goes; of one to `stop` at only where it begins."""
    unpack, last = _ELEMENT.unpack_from, 0
    while at < end:
        group, number, vr, length = unpack(head, at)
        tag, begin = group << 16 | number, at + 8
        if tag in stop:
            yield tag, vr, begin, begin
            return
        if vr in _LONG:
            (length,) = _LENGTH.unpack_from(head, begin)
            begin += 4
        at = begin + length
        if at > end or not last < tag < _DELIMITERS or not _is_called(vr, tag):
            raise _Unusual
        yield tag, vr, begin, at
        last = tag


def _is_called(vr: bytes, tag: int) -> bool:
    return _VR.get(tag, vr) == vr and (vr in _SHORT or vr in _LONG)


def _uid(value: bytes) -> str:
    return _matching(_PLAIN_UID, value)


def _matching(plain: re.Pattern[bytes], value: bytes) -> str:
    """The value without padding, if it is plain."""
    if not plain.fullmatch(value):
        raise _Unusual
    return value.decode("ascii").strip("\0 ")
