"""Between the phases of a beat: linear over the share of the cycle, and round its end."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Blend:
    """A moment between two phases: (1 - weight) x before + weight x after."""

    before: int
    after: int
    weight: float

    @property
    def nearest(self) -> int:
        """The phase that is closer; the earlier of two equally close."""
        return self.after if self.weight > 0.5 else self.before


def blends(shares: Sequence[float], wanted: Sequence[float]) -> list[Blend]:
    """How to see each wanted moment from the phases there are.

    Args:
        shares: when the phases were taken, as a share of the cycle, growing, all within one cycle.
        wanted: moments, as a share of the cycle.
    """
    count = len(shares)
    found = []
    for moment in wanted:
        turn = (moment - shares[0]) % 1.0 + shares[0]
        after = bisect_left(shares, turn + 1e-9)
        before = after - 1
        start, end = shares[before], shares[after] if after < count else shares[0] + 1.0
        weight = (turn - start) / (end - start) if end > start else 0.0
        weight = 0.0 if weight < 1e-6 else weight
        found.append(Blend(before, after % count, float(min(weight, 1.0))))
    return found


def resample(planes: NDArray[np.float32], recipe: Sequence[Blend]) -> NDArray[np.float32]:
    """Planes (phase, row, column) at the moments of `recipe`; untouched where a moment is a phase."""
    result = np.empty((len(recipe), *planes.shape[1:]), dtype=np.float32)
    for index, blend in enumerate(recipe):
        if blend.weight == 0.0:
            result[index] = planes[blend.before]
        else:
            result[index] = planes[blend.before] * (1 - blend.weight) + planes[blend.after] * blend.weight
    return result
