"""Parts of a report that is read: sections, sentences, and coded answers to a question."""

from collections.abc import Sequence

import highdicom as hd
from highdicom import sr
from pydicom.sr.coding import Code

_CONTAINS = "CONTAINS"


def section(heading: Code, items: Sequence[sr.ContentItem]) -> sr.ContainerContentItem:
    """A container of `items` under a heading."""
    container = sr.ContainerContentItem(heading, relationship_type=_CONTAINS)
    container.ContentSequence = hd.sr.ContentSequence(items)
    return container


def sentence(name: Code, words: str) -> sr.TextContentItem:
    """A TEXT item."""
    return sr.TextContentItem(name, words, relationship_type=_CONTAINS)


def answer(question: Code, value: Code) -> sr.CodeContentItem:
    """A CODE item: `question` is `value`."""
    return sr.CodeContentItem(question, value, relationship_type=_CONTAINS)
