"""What a header says by the elements that a whole series shares is read once, and remembered."""

from collections.abc import Callable, Iterable
from functools import lru_cache
from itertools import repeat
from typing import TypeVar

from pipeline.header import Elements, Tag

_SHORT = 128  # bytes of each element that is worth being remembered
_REMEMBERED = 256  # slices, rather than series: some elements change between those

T = TypeVar("T")


def remembered(read: Callable[[Elements], T], tags: Iterable[int | str]) -> Callable[[Elements], T]:
    """`read`, which asks plain headers for no element but these, and is asked once for the same bytes.

    It is shown nothing else of them, so no answer hangs on what another file may have held elsewhere.
    """
    asked = tuple(int(Tag(tag)) for tag in tags)

    def read_anew(found: tuple[bytes, ...]) -> T:
        return read({tag: element for tag, element in zip(asked, found, strict=True) if element})

    read_once = lru_cache(_REMEMBERED)(read_anew)

    def read_or_remember(dataset: Elements) -> T:
        if not isinstance(dataset, dict):
            return read(dataset)
        found = tuple(map(dataset.get, asked, repeat(b"")))  # an element has its VR at least
        return read_once(found) if max(map(len, found)) <= _SHORT else read_anew(found)

    return read_or_remember
