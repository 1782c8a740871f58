"""What the bytes of an element say: as text, or as numbers."""

import math
import struct
from collections.abc import Iterator

from pydicom.datadict import dictionary_VR

LONGEST = 1024
"""Bytes of a text value that are looked at."""

_FORMATS = {"US": "H", "SS": "h", "UL": "I", "SL": "i", "FL": "f", "FD": "d"}


def words(value: bytes) -> tuple[str, ...]:
    """The values of a text element; none if it is empty. Control characters are dropped."""
    return tuple(clean(part) for part in _decoded(value[:LONGEST]).split("\\")) if value else ()


def quantities(tag: int, vr: str | None, value: bytes, expected: str, order: str) -> tuple[float, ...]:
    """The values of an element as finite numbers; none if any of them is not one.

    Args:
        tag: whose value it is.
        vr: what the file calls it (PS3.5 6.2); None where it does not say.
        value: the bytes as they lie in the file.
        expected: what it should be, where the file does not say; empty: what the dictionary has.
        order: of the bytes, "<" or ">".
    """
    return _all_finite(_binary(tag, vr, value, expected, order) or tuple(_floats(words(value))))


def finite(parts: tuple[str, ...]) -> tuple[float, ...]:
    """These texts as finite numbers; none if any of them is not one."""
    return _all_finite(tuple(_floats(parts)))


def clean(part: str) -> str:
    """Without control characters, and without space around it."""
    if not part.isprintable():
        part = "".join(letter for letter in part if letter.isprintable())
    return part.strip()


def _all_finite(found: tuple[float, ...]) -> tuple[float, ...]:
    return found if all(math.isfinite(value) for value in found) else ()


def _decoded(head: bytes) -> str:
    try:
        return head.decode("utf-8")
    except UnicodeDecodeError:
        return head.decode("latin-1")


def _floats(parts: tuple[str, ...]) -> Iterator[float]:
    for part in parts:
        try:
            yield float(part)
        except ValueError:
            yield math.nan


def _binary(tag: int, vr: str | None, value: bytes, expected: str, order: str) -> tuple[float, ...]:
    """The numbers of a binary element; empty where the bytes are text or do not fit."""
    unsaid = vr in (None, "UN")
    letter = _FORMATS.get((expected or _dictionary_vr(tag)) if unsaid else str(vr))
    if letter is None or (unsaid and _is_decimal(tag, value)):
        return ()
    size = struct.calcsize(letter)
    if not value or len(value) % size or len(value) > size * 64:
        return ()
    return tuple(float(found) for found in struct.unpack(f"{order}{len(value) // size}{letter}", value))


def _is_decimal(tag: int, value: bytes) -> bool:
    """Whether a private element without a VR holds digits: some archives rewrite numbers as text."""
    return tag >> 16 & 1 == 1 and len(value) > 1 and value.strip(b" ").isdigit()


def _dictionary_vr(tag: int) -> str:
    try:
        return dictionary_VR(tag)
    except KeyError:
        return ""
