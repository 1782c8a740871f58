"""What the elements of a plain file say (`pipeline.scan`): the same as `pipeline.values` of the library's.

The images of a series share nearly all of their elements, so what short ones say is remembered.
"""

from functools import lru_cache

from pipeline.values import quantities, words

PlainElements = dict[int, bytes]
"""Tag to the bytes behind it: VR, length and value (PS3.5 7.1.2)."""

LONG = frozenset(b"OB OD OF OL OV OW SQ SV UC UN UR UT UV".split())
"""The VRs with four bytes of length, behind two that are empty."""

OF_NO_LENGTH = b"SQ\0\0\xff\xff\xff\xff"
"""What is kept of a sequence of undefined length."""

_SHORT = 128  # bytes of an element that is worth being remembered
_REMEMBERED = 4096


class NotPlain(Exception):
    """The value that was asked for is a sequence of undefined length: ask the library."""


def plain_text(element: bytes) -> str:
    """The values as one line."""
    return _short_text(element) if len(element) <= _SHORT else "\\".join(_words(element))


def plain_texts(element: bytes) -> tuple[str, ...]:
    """`values.words` of the value.

    Raises:
        NotPlain: as it says.
    """
    return _short_words(element) if len(element) <= _SHORT else _words(element)


def plain_numbers(tag: int, element: bytes, expected: str) -> tuple[float, ...]:
    """`values.quantities` of the value.

    Raises:
        NotPlain: as it says.
    """
    if len(element) <= _SHORT:
        return _short_quantities(tag, element, expected)
    return _quantities(tag, element, expected)


def value_of(element: bytes) -> tuple[str, bytes]:
    """VR and value.

    Raises:
        NotPlain: as it says.
    """
    if element == OF_NO_LENGTH:
        raise NotPlain
    return element[:2].decode(), element[8 if element[:2] in LONG else 4 :]


def _words(element: bytes) -> tuple[str, ...]:
    return words(value_of(element)[1])


def _text(element: bytes) -> str:
    return "\\".join(_words(element))


def _quantities(tag: int, element: bytes, expected: str) -> tuple[float, ...]:
    return quantities(tag, *value_of(element), expected, "<")


_short_text = lru_cache(_REMEMBERED)(_text)
_short_words = lru_cache(_REMEMBERED)(_words)
_short_quantities = lru_cache(_REMEMBERED)(_quantities)
