"""Elements in a row that images of a series have in common, so that they need not be walked again."""

from dataclasses import dataclass
from itertools import pairwise
from typing import final

from pipeline.plain import OF_NO_LENGTH, PlainElements

_LONGEST = 1024  # bytes of an element that is worth being remembered
_MOST_ELEMENTS = 2**13
_MOST_SERIES = 64
_MOST_ALIKE = 16  # stretches that begin alike: series that come at once, slices of one series
_START = 8  # bytes: tag, VR and length of most elements

Place = tuple[int, int, int]
"""An element's tag, where it begins and where it ends."""


@dataclass(frozen=True, slots=True, eq=False)
class Stretch:
    """Elements as they lie in a file: from the first tag to the last, nothing but what a walk let pass."""

    content: bytes
    first: int
    last: int
    elements: PlainElements


@final
class Stretches:
    """What was walked before, found again by its bytes.

    A stretch is remembered once two images of a series have shown it. That decides about time alone: bytes
    are stepped over only if they are those of the stretch, whoever sent them.
    """

    def __init__(self) -> None:
        """`held` counts the elements that are remembered, more than once if they lie in several stretches."""
        self._by_start: dict[bytes, tuple[Stretch, ...]] = {}
        self.held = 0
        self._walked: dict[tuple[bytes, bytes], PlainElements] = {}

    def at(self, head: bytes, at: int) -> Stretch | None:
        """The stretch that begins here, if one does."""
        for stretch in self._by_start.get(head[at : at + _START], ()):
            if head.startswith(stretch.content, at):
                return stretch
        return None

    def learn(
        self, series: tuple[bytes, bytes], head: bytes, places: list[Place], found: PlainElements
    ) -> None:
        """Compare the elements that had to be walked with those of the image of the series before."""
        before = self._walked.get(series, {})
        if len(self._walked) >= _MOST_SERIES:
            self._walked.clear()
        self._walked[series] = {
            tag: found[tag]
            for tag, start, end in places
            if end - start <= _LONGEST and found[tag] != OF_NO_LENGTH
        }
        again = [place for place in places if before.get(place[0]) == found[place[0]]]
        begin = 0
        for index, (one, following) in enumerate(pairwise((*again, (0, 0, 0))), 1):
            if one[2] != following[1]:
                if index - begin > 1:
                    self._remember(head, again[begin:index], found)
                begin = index

    def _remember(self, head: bytes, places: list[Place], found: PlainElements) -> None:
        if self.held > _MOST_ELEMENTS:
            self._by_start, self.held = {}, 0
        begin, end = places[0][1], places[-1][2]
        elements = {tag: found[tag] for tag, _, _ in places}
        stretch = Stretch(head[begin:end], places[0][0], places[-1][0], elements)
        start = head[begin : begin + _START]
        self._by_start[start] = (stretch, *self._by_start.get(start, ()))[:_MOST_ALIKE]
        self.held += len(places)
