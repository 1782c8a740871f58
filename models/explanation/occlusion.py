"""Occlusion: what the answer loses when a block is covered (Zeiler and Fergus, ECCV 2014). No framework."""

from collections.abc import Iterator
from itertools import pairwise, product
from typing import Final, final

import numpy as np
from numpy.typing import NDArray

from models.explanation.explainer import Answer, Explained, Forward
from models.explanation.method import Method

Array = NDArray[np.float32]

PARTS: Final = (4, 4, 4)
"""How many blocks lie along slices, rows and columns: 64 passes of the network for one study."""
LEAST_DROP: Final = 0.005
"""A smaller loss of probability is nothing to show, rather than to be blown up to 1."""


@final
class Occlusion:
    """Covers each block with grey through the whole beat, and asks again."""

    method = Method.OCCLUSION

    def __init__(self, forward: Forward) -> None:
        self._forward = forward
        self.statement = (
            "Occlusion, not attention: by how much the probability falls when a block (a quarter of the "
            "slices, rows and columns) is covered with the study's median grey through the whole beat; "
            "1 is the largest fall. It shows what this answer rests on, block by block, not where scar is."
        )

    def __call__(self, cine: Array, answer: Answer) -> Explained:
        probability, _ = answer
        grey = np.median(cine)
        drop = np.zeros(cine.shape, np.float32)
        for block in blocks(cine.shape):
            covered = cine.copy()
            covered[block] = grey
            drop[block] = probability - self._forward(covered)[0]
        largest = float(drop.max())
        if largest < LEAST_DROP:
            least = f"no block's covering lowers the probability by {LEAST_DROP:g}"
            return Explained(None, (f"occlusion: {least}, so that there is nothing to show",))
        note = f"occlusion: covering the block that matters most lowers the probability by {largest:.3f}"
        return Explained((np.maximum(drop, 0.0) / largest).astype(np.float32), (note,))


def blocks(shape: tuple[int, ...]) -> Iterator[tuple[slice, ...]]:
    """Blocks of (phase, slice, row, column) that cover it without overlap, whole beats each."""
    edges = [_edges(size, parts) for size, parts in zip(shape[1:], PARTS, strict=True)]
    for block in product(*edges):
        yield (slice(None), *block)


def _edges(size: int, parts: int) -> list[slice]:
    cuts = [size * part // parts for part in range(parts + 1)]
    return [slice(start, stop) for start, stop in pairwise(cuts) if stop > start]
