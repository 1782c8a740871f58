"""How sure a figure is: patients are drawn again and again, and the figure is computed anew.

Patients are drawn, never studies: the studies of one patient stand and fall together (B. Efron's percentile
bootstrap over clusters). Equal seeds draw equal patients, so that two networks meet on the same resamples.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite, nan
from typing import Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Figures = Callable[[Array], Mapping[str, Array]]
"""(resample, study) weights to figures of (resample,), not a number where a resample does not define them."""

PERCENTILES: Final = (2.5, 97.5)
MOST_DEGENERATE: Final = 0.5
"""An interval rests on at least this share of the resamples, or there is none."""
_BLOCK: Final = 128


@dataclass(frozen=True, slots=True)
class Resampling:
    """How often patients are drawn again, and from which seed on."""

    count: int = 2000
    seed: int = 20

    def __post_init__(self) -> None:
        if self.count < 1:
            raise ValueError("at least one resample")


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its 95 % interval; numbers that are not defined are NaN.

    Attributes:
        value: of the studies as they are.
        low, high: the interval's ends; NaN where too few resamples define the figure.
        degenerate: resamples that do not define it, and were left out.
    """

    value: float
    low: float
    high: float
    degenerate: int = 0

    @property
    def known(self) -> bool:
        return isfinite(self.value)

    def as_dict(self) -> dict[str, float | int | None]:
        """For JSON, which knows no NaN."""
        numbers = {"value": self.value, "low": self.low, "high": self.high}
        plain: dict[str, float | int | None] = {
            name: number if isfinite(number) else None for name, number in numbers.items()
        }
        return plain | {"degenerate": self.degenerate}


def estimated(figures: Figures, patients: Sequence[str], resampling: Resampling) -> dict[str, Estimate]:
    """Every figure with its interval."""
    whole = figures(np.ones((1, len(patients))))
    drawn = [figures(block) for block in resamples(patients, resampling)]
    return {
        name: interval(float(value[0]), np.concatenate([block[name] for block in drawn]))
        for name, value in whole.items()
    }


def resamples(patients: Sequence[str], resampling: Resampling) -> Iterator[Array]:
    """Blocks of (resample, study): how often each study counts in each draw."""
    names, whose = np.unique(np.asarray(patients), return_inverse=True)
    rng = np.random.default_rng(resampling.seed)
    for start in range(0, resampling.count, _BLOCK):
        rows = min(_BLOCK, resampling.count - start)
        drawn = rng.integers(len(names), size=(rows, len(names)))
        times = np.zeros((rows, len(names)))
        np.add.at(times, (np.arange(rows)[:, None], drawn), 1.0)
        yield times[:, whose]


def interval(value: float, drawn: Array) -> Estimate:
    """The 2.5 to 97.5 percentile of the resamples that define the figure."""
    defined = drawn[np.isfinite(drawn)]
    degenerate = len(drawn) - len(defined)
    if not isfinite(value) or degenerate > MOST_DEGENERATE * len(drawn):
        return Estimate(value, nan, nan, degenerate)
    low, high = np.percentile(defined, PERCENTILES).tolist()
    return Estimate(value, low, high, degenerate)
