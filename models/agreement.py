"""How far two models agree on the same studies. Whether either is right, nobody can tell from this."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np

FEW: Final = 30
"""Below so many studies nothing is concluded."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two models' probabilities (0..1) and operating points for one study."""

    study: str
    first: float
    second: float
    first_threshold: float
    second_threshold: float

    @property
    def positive(self) -> tuple[bool, bool]:
        """What each decides."""
        return self.first >= self.first_threshold, self.second >= self.second_threshold

    @property
    def shift(self) -> float:
        """By how much the second is higher."""
        return self.second - self.first


@dataclass(frozen=True, slots=True)
class Agreement:
    """A comparison of decisions and probabilities.

    Attributes:
        studies: that both answered.
        both, first_only, second_only, neither: how many are positive for whom.
        observed: share of equal decisions, 0..1; None without studies.
        kappa: Cohen's (1960), -1..1; None without studies, or if both always decide the same one thing.
        shift_mean, shift_sd, shift_lowest, shift_highest: of the second's probability minus the first's;
            None without studies, the deviation also with one.
    """

    studies: int
    both: int
    first_only: int
    second_only: int
    neither: int
    observed: float | None
    kappa: float | None
    shift_mean: float | None
    shift_sd: float | None
    shift_lowest: float | None
    shift_highest: float | None

    @property
    def too_few(self) -> bool:
        """Whether there are too few studies to conclude from."""
        return self.studies < FEW

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self) | {"too_few_to_conclude": self.too_few}


def agreement(pairs: Sequence[Pair]) -> Agreement:
    """Compare two models on the studies that both answered."""
    decided = [pair.positive for pair in pairs]
    both, first_only, second_only, neither = (
        decided.count(case) for case in ((True, True), (True, False), (False, True), (False, False))
    )
    shift = np.array([pair.shift for pair in pairs])
    known = len(pairs) > 0
    return Agreement(
        studies=len(pairs),
        both=both,
        first_only=first_only,
        second_only=second_only,
        neither=neither,
        observed=(both + neither) / len(pairs) if known else None,
        kappa=cohens_kappa(both, first_only, second_only, neither),
        shift_mean=float(shift.mean()) if known else None,
        shift_sd=float(shift.std(ddof=1)) if len(pairs) > 1 else None,
        shift_lowest=float(shift.min()) if known else None,
        shift_highest=float(shift.max()) if known else None,
    )


def cohens_kappa(both: int, first_only: int, second_only: int, neither: int) -> float | None:
    """Agreement beyond chance, of a table of counts (Cohen 1960); None where chance alone agrees fully."""
    count = both + first_only + second_only + neither
    if count == 0:
        return None
    observed = (both + neither) / count
    first, second = (both + first_only) / count, (both + second_only) / count
    chance = first * second + (1 - first) * (1 - second)
    return None if chance == 1 else (observed - chance) / (1 - chance)
