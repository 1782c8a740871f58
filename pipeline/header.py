"""Header values as they lie in the file, read without trusting a single one of them.

pydicom converts a value by the VR the file claims and raises (or warns) where that fails. Scanners and
anonymisers write private elements with the wrong VR, UIDs with leading zeros and numbers with words in
them, so everything the pipeline decides on is taken from the raw bytes here.
"""

import math
import struct
import zlib
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from pydicom.datadict import dictionary_VR
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.errors import BytesLengthException, InvalidDicomError
from pydicom.sequence import Sequence
from pydicom.tag import BaseTag
from pydicom.tag import Tag as _uncached_tag

# What a parser or a decoder may raise over bytes that somebody else wrote.
UNREADABLE = (
    InvalidDicomError,
    BytesLengthException,
    OSError,
    EOFError,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    ArithmeticError,
    RuntimeError,  # holds RecursionError and NotImplementedError
    MemoryError,
    struct.error,
    zlib.error,
)

Tag = lru_cache(maxsize=1024)(_uncached_tag)  # a multi-frame header asks for the same few over and over

_LONGEST = 1024  # bytes of a text value that are looked at
_FORMATS = {"US": "H", "SS": "h", "UL": "I", "SL": "i", "FL": "f", "FD": "d"}


def text(dataset: Dataset, tag: int | str, limit: int = 128) -> str:
    """The value as one line of at most `limit` characters; empty if absent."""
    return "\\".join(texts(dataset, tag))[:limit]


def texts(dataset: Dataset, tag: int | str) -> tuple[str, ...]:
    """The values of a text element; empty if absent. Control characters are dropped."""
    element = dataset.get_item(Tag(tag))
    if element is None or element.value is None:
        return ()
    value = element.value
    if isinstance(value, bytes):
        return tuple(_clean(part) for part in _decoded(value).split("\\")) if value else ()
    if isinstance(value, str) or not hasattr(value, "__iter__"):
        return (_clean(str(value)[:_LONGEST]),)
    return tuple(_clean(str(part)[:_LONGEST]) for part, _ in zip(value, range(64), strict=False))


def number(dataset: Dataset, tag: int | str, vr: str = "") -> float | None:
    """The first value as a finite number; None if there is none. `vr`: what a private element should be."""
    values = numbers(dataset, tag, vr)
    return values[0] if values else None


def whole(dataset: Dataset, tag: int | str, vr: str = "") -> int | None:
    """The first value as a whole number; None if it is none."""
    value = number(dataset, tag, vr)
    return int(value) if value is not None and value == int(value) and abs(value) < 2**31 else None


def numbers(dataset: Dataset, tag: int | str, vr: str = "") -> tuple[float, ...]:
    """All values as finite numbers; empty if absent or if any of them is not one."""
    element = dataset.get_item(Tag(tag))
    if element is None:
        return ()
    found = _binary(element, vr) or tuple(_floats(texts(dataset, tag)))
    return found if all(math.isfinite(value) for value in found) else ()


def items(dataset: Dataset, tag: int | str) -> tuple[Dataset, ...]:
    """The items of a sequence; empty if it is absent or not a sequence.

    Raises:
        any of `UNREADABLE`: the sequence cannot be parsed.
    """
    key = Tag(tag)
    if key not in dataset:
        return ()
    value = dataset[key].value
    return tuple(value) if isinstance(value, Sequence) else ()


def sequences(dataset: Dataset) -> Iterator[tuple[BaseTag, Dataset]]:
    """The tag and first item of every sequence of `dataset`.

    Raises:
        any of `UNREADABLE`: a sequence cannot be parsed.
    """
    for tag in list(dataset.keys()):
        element = dataset.get_item(tag)
        if element is not None and (element.VR == "SQ" or _may_be_sequence(element)):
            found = items(dataset, tag)
            if found:
                yield tag, found[0]


def private(dataset: Dataset, group: int, element: int, creator: str) -> int | None:
    """Where a private element lies in this dataset (PS3.5 7.8.1): its tag, or None.

    Anonymisers remove the creator and keep the element, so block 10 is believed unless it is somebody else's.
    """
    present = dataset.keys()
    for block in range(0x10, 0x20):
        tag = group << 16 | block << 8 | element
        if tag in present:
            owner = text(dataset, group << 16 | block).lower()
            if owner == creator.lower() or (block == 0x10 and not owner):
                return tag
    return None


def _may_be_sequence(element: Any) -> bool:
    if element.VR not in (None, "UN"):
        return False
    try:
        return dictionary_VR(element.tag) == "SQ"
    except KeyError:
        return False


def _decoded(value: bytes) -> str:
    head = value[:_LONGEST]
    try:
        return head.decode("utf-8")
    except UnicodeDecodeError:
        return head.decode("latin-1")


def _clean(part: str) -> str:
    if not part.isprintable():
        part = "".join(letter for letter in part if letter.isprintable())
    return part.strip()


def _floats(parts: tuple[str, ...]) -> Iterator[float]:
    for part in parts:
        try:
            yield float(part)
        except ValueError:
            yield math.nan


def _binary(element: Any, vr: str) -> tuple[float, ...]:
    """The numbers of a binary element; empty where the bytes are text or do not fit."""
    value = element.value
    if not isinstance(element, RawDataElement) or not isinstance(value, bytes):
        return ()
    claimed = element.VR if element.VR not in (None, "UN") else vr or _expected_vr(element.tag)
    letter = _FORMATS.get(claimed)
    if letter is None or _is_decimal(element):
        return ()
    size = struct.calcsize(letter)
    if not value or len(value) % size or len(value) > size * 64:
        return ()
    order = "<" if element.is_little_endian else ">"
    return tuple(float(found) for found in struct.unpack(f"{order}{len(value) // size}{letter}", value))


def _is_decimal(element: Any) -> bool:
    """Whether a private element without a VR holds digits: some archives rewrite numbers as text."""
    if element.VR not in (None, "UN") or not element.tag.is_private:
        return False
    return len(element.value) > 1 and element.value.strip(b" ").isdigit()


def _expected_vr(tag: BaseTag) -> str:
    try:
        return dictionary_VR(tag)
    except KeyError:
        return ""
