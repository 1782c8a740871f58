"""Header values as they lie in the file, read without trusting a single one of them.

pydicom converts a value by the VR the file claims and raises (or warns) where that fails. Scanners and
anonymisers write private elements with the wrong VR, UIDs with leading zeros and numbers with words in
them, so everything the pipeline decides on is taken from the raw bytes here.
"""

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

from pipeline.plain import PlainElements, plain_numbers, plain_text, plain_texts
from pipeline.values import LONGEST, clean, finite, quantities, words

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

Elements = Dataset | PlainElements


def text(dataset: Elements, tag: int | str, limit: int = 128) -> str:
    """The value as one line of at most `limit` characters; empty if absent."""
    if isinstance(dataset, dict):
        found = dataset.get(_number_of(tag))
        return "" if found is None else plain_text(found)[:limit]
    return "\\".join(texts(dataset, tag))[:limit]


def texts(dataset: Elements, tag: int | str) -> tuple[str, ...]:
    """The values of a text element; empty if absent. Control characters are dropped."""
    if isinstance(dataset, dict):
        found = dataset.get(_number_of(tag))
        return () if found is None else plain_texts(found)
    element = dataset.get_item(Tag(tag))
    if element is None or element.value is None:
        return ()
    value = element.value
    if isinstance(value, bytes):
        return words(value)
    if isinstance(value, str) or not hasattr(value, "__iter__"):
        return (clean(str(value)[:LONGEST]),)
    return tuple(clean(str(part)[:LONGEST]) for part, _ in zip(value, range(64), strict=False))


def number(dataset: Elements, tag: int | str, vr: str = "") -> float | None:
    """The first value as a finite number; None if there is none. `vr`: what a private element should be."""
    values = numbers(dataset, tag, vr)
    return values[0] if values else None


def whole(dataset: Elements, tag: int | str, vr: str = "") -> int | None:
    """The first value as a whole number; None if it is none."""
    values = numbers(dataset, tag, vr)
    if not values:
        return None
    value = int(values[0])
    return value if value == values[0] and abs(value) < 2**31 else None


def numbers(dataset: Elements, tag: int | str, vr: str = "") -> tuple[float, ...]:
    """All values as finite numbers; empty if absent or if any of them is not one."""
    if isinstance(dataset, dict):
        key = _number_of(tag)
        found = dataset.get(key)
        return () if found is None else plain_numbers(key, found, vr)
    element = dataset.get_item(Tag(tag))
    if element is None:
        return ()
    if isinstance(element, RawDataElement) and isinstance(element.value, bytes):
        order = "<" if element.is_little_endian else ">"
        return quantities(int(element.tag), element.VR, element.value, vr, order)
    return finite(texts(dataset, tag))


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


def private(dataset: Elements, group: int, element: int, creator: str) -> int | None:
    """Where a private element lies in this dataset (PS3.5 7.8.1): its tag, or None.

    Anonymisers remove the creator and keep the element, so block 10 is believed unless it is somebody else's.
    """
    places, present = _places(group, element), dataset.keys()
    if present.isdisjoint(places):
        return None
    for tag in places:
        if tag in present:
            owner = text(dataset, group << 16 | tag >> 8 & 0xFF).lower()
            if owner == creator.lower() or (tag == places[0] and not owner):
                return tag
    return None


@lru_cache(maxsize=64)
def _places(group: int, element: int) -> tuple[int, ...]:
    first = group << 16 | 0x1000 | element
    return tuple(range(first, first + 0x1000, 0x100))


def _may_be_sequence(element: Any) -> bool:
    if element.VR not in (None, "UN"):
        return False
    try:
        return dictionary_VR(element.tag) == "SQ"
    except KeyError:
        return False


@lru_cache(maxsize=1024)
def _number_of(tag: int | str) -> int:
    return int(Tag(tag))  # a tag of the library compares itself in Python
