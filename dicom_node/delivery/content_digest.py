"""Whether two datasets say the same: a digest of their elements, whatever wrote them.

It covers the value of every element of the dataset, in tag order and through all sequences (PS3.5 7.1). It
does not cover how they were encoded: file meta information, transfer syntax, padding, defined or undefined
lengths, group lengths and trailing padding, which every archive sets anew.
"""

import hashlib
from collections.abc import Iterator
from typing import Any

from pydicom import Dataset
from pydicom.dataelem import DataElement
from pydicom.filewriter import correct_ambiguous_vr
from pydicom.multival import MultiValue
from pydicom.tag import Tag

_TRAILING_PADDING = Tag(0xFFFC, 0xFFFC)
_MOST_NAMED = 8


def content_digest(dataset: Dataset) -> str:
    """SHA-256 of the elements' values, as hexadecimal digits."""
    digest = hashlib.sha256()
    for _, said in _elements(dataset):
        digest.update(said)
    return digest.hexdigest()


def difference(ours: Dataset, theirs: Dataset) -> str:
    """Which elements at the top differ, by keyword, without their values; empty if none does."""
    if content_digest(ours) == content_digest(theirs):
        return ""
    left, right = (dict(_elements(one)) for one in (ours, theirs))
    names = [_name(tag) for tag in sorted({*left, *right}) if left.get(tag) != right.get(tag)]
    rest = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return ", ".join(names[:_MOST_NAMED]) + rest


def _name(tag: int) -> str:
    from_dictionary = DataElement(tag, "UN", b"").keyword
    return from_dictionary or str(Tag(tag))


def _elements(dataset: Dataset) -> Iterator[tuple[int, bytes]]:
    """Each tag and, unambiguously delimited, all that stands under it."""
    little_endian = True
    correct_ambiguous_vr(dataset, little_endian)
    for element in dataset:
        tag = element.tag
        if tag.element == 0 or tag == _TRAILING_PADDING:
            continue
        value = _value(element)
        yield int(tag), b"%08x %d " % (int(tag), len(value)) + value


def _value(element: DataElement) -> bytes:
    if element.VR == "SQ":
        return b"".join(content_digest(item).encode() for item in element.value)
    value: Any = element.value
    if value is None:
        return b""
    if isinstance(value, bytes):
        return value[:-1] if len(value) % 2 == 0 and value.endswith(b"\0") else value
    if isinstance(value, MultiValue | list):
        return "\\".join(str(one) for one in value).encode("utf-8", "surrogatepass")
    return str(value).encode("utf-8", "surrogatepass")
