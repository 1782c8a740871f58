"""The walk from element to element of a plain header (`pipeline.scan`)."""

import struct

from pipeline.plain import LONG, OF_NO_LENGTH, PlainElements
from pipeline.stretches import Place, Stretches

CHARACTER_SET = 0x00080005
UNDEFINED = 0xFFFFFFFF
LENGTH = struct.Struct("<L")
_DELIMITERS = 0xFFFE
_ITEM = b"\xfe\xff\x00\xe0"
_ITEM_ENDS, _SEQUENCE_ENDS = b"\xfe\xff\x0d\xe0\0\0\0\0", b"\xfe\xff\xdd\xe0\0\0\0\0"
_DEEPEST = 8  # sequences in sequences
_ELEMENT = struct.Struct("<HH2sH")
_SHORT = frozenset(b"AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US".split())


class Unusual(Exception):
    """Something that is better left to the library."""


def walk(
    head: bytes, at: int, end: int, tags: range, stretches: Stretches
) -> tuple[PlainElements, int, list[Place]]:
    """The elements in a row, where they end, and which of them were in none of the `stretches`.

    They end at `end`, or before the first that lies behind `tags`.

    Raises:
        Unusual, struct.error: they are not plain.
    """
    found: PlainElements = {}
    alone: list[Place] = []
    last, stop = tags.start - 1, tags.stop
    while at < end:
        stretch = stretches.at(head, at)
        if stretch and last < stretch.first and stretch.last < stop and at + len(stretch.content) <= end:
            found.update(stretch.elements)
            at, last = at + len(stretch.content), stretch.last
            continue
        group, number, vr, length = _ELEMENT.unpack_from(head, at)
        tag = group << 16 | number
        if tag <= last:
            raise Unusual
        if tag >= stop:
            return found, at, alone
        last, begin = tag, at
        at = value_end = at + 8 + length
        if vr not in _SHORT:
            at, value_end = _after_long(head, begin, vr, _DEEPEST)
        found[tag] = head[begin + 4 : value_end]
        alone.append((tag, begin, at))
    if at > end:
        raise Unusual
    return found, at, alone


def _after_long(head: bytes, at: int, vr: bytes, deepest: int) -> tuple[int, int]:
    """Where an element with four bytes of length ends, and where what is kept of it does."""
    if vr not in LONG:
        raise Unusual
    (length,) = LENGTH.unpack_from(head, at + 8)
    if length == UNDEFINED:
        if not deepest or head[at + 4 : at + 12] != OF_NO_LENGTH:
            raise Unusual
        return _after_sequence(head, at + 12, deepest), at + 12
    return at + 12 + length, at + 12 + length


def _after_sequence(head: bytes, at: int, deepest: int) -> int:
    """Behind the delimiter of a sequence of undefined length (PS3.5 7.5.2)."""
    while head[at : at + 8] != _SEQUENCE_ENDS:
        if head[at : at + 4] != _ITEM:
            raise Unusual
        (length,) = LENGTH.unpack_from(head, at + 4)
        at = _after_item(head, at + 8, length, deepest)
    return at + 8


def _after_item(head: bytes, at: int, length: int, deepest: int) -> int:
    end = len(head) if length == UNDEFINED else at + length
    while at < end:
        if length == UNDEFINED and head[at : at + 8] == _ITEM_ENDS:
            return at + 8
        at = _after_element(head, at, deepest)
    if at > end or length == UNDEFINED:
        raise Unusual
    return at


def _after_element(head: bytes, at: int, deepest: int) -> int:
    """Behind an element of an item. One that says how text is encoded the library would look at."""
    group, number, vr, length = _ELEMENT.unpack_from(head, at)
    if group == _DELIMITERS or group << 16 | number == CHARACTER_SET:
        raise Unusual
    return at + 8 + length if vr in _SHORT else _after_long(head, at, vr, deepest - 1)[0]
