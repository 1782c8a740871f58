"""What says something of a plane: its own part of the header, the part that planes share, and the rest."""

from collections.abc import Sequence

from pipeline.header import Elements, number, numbers


def first(layers: Sequence[Elements], keyword: str, size: int) -> tuple[float, ...]:
    """The first non-empty value of `keyword`, the frame's own before the shared and the common ones."""
    for layer in layers:
        values = numbers(layer, keyword)
        if len(values) == size:
            return values
    return ()


def value(layers: Sequence[Elements], *keywords: str) -> float | None:
    """The first number of the first of `keywords` that has one anywhere."""
    for keyword in keywords:
        for layer in layers:
            found = number(layer, keyword)
            if found is not None:
                return found
    return None
