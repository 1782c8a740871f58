"""Two networks on the same studies: is one better, or was it luck?"""

from dataclasses import dataclass
from math import erfc, nan, sqrt
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.errors import NotJudged
from models.evaluation.bootstrap import Estimate, Resampling, estimated
from models.evaluation.figures import figures_of
from models.evaluation.scored import Scored

Array = NDArray[np.float64]

_QUANTILE: Final = 1.959963984540054  # of the normal distribution, at 97.5 %


@dataclass(frozen=True, slots=True)
class DeLong:
    """A difference of two AUCs with its standard error, 95 % interval and two-sided p-value."""

    difference: float
    standard_error: float
    low: float
    high: float
    p_value: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """One network minus another.

    Attributes:
        differences: of every figure, by the paired bootstrap over patients.
        delong: of the AUC; None where patients have several studies, which DeLong's variance does not allow.
    """

    differences: dict[str, Estimate]
    delong: DeLong | None

    @property
    def method(self) -> str:
        """Which method stands behind the differences, in words."""
        paired = "paired bootstrap over patients"
        if self.delong is None:
            return f"{paired}; DeLong's test is left out, because some patients have several studies"
        return f"{paired}; DeLong's test of the AUC beside it, every study being of another patient"


def compared(one: Scored, other: Scored, resampling: Resampling) -> Comparison:
    """`one` minus `other`.

    Raises NotJudged unless both answered the same question about the same studies, in the same order.
    """
    same = one.studies == other.studies and np.array_equal(one.label, other.label)
    if not same or one.label_name != other.label_name:
        raise NotJudged("two networks are compared on the same studies with the same labels, or not at all")
    one.require_both()

    def differences(weights: Array) -> dict[str, Array]:
        first, second = figures_of(one, weights), figures_of(other, weights)
        return {name: first[name] - second[name] for name in first}

    independent = one.patient_count == len(one)
    return Comparison(
        estimated(differences, one.patients, resampling), delong(one, other) if independent else None
    )


def delong(one: Scored, other: Scored) -> DeLong:
    """E. R. DeLong's test (Biometrics 1988, 44:837) of two correlated AUCs; both answers are needed twice.

    With fewer than two studies of either answer there is no variance, and all but the difference is NaN.
    """
    yes, no = (np.stack(parts) for parts in zip(*(_components(each) for each in (one, other)), strict=True))
    difference = float(yes[0].mean() - yes[1].mean())
    if min(yes.shape[1], no.shape[1]) < 2:
        return DeLong(difference, nan, nan, nan, nan)
    spread = sum(float(np.var(part[0] - part[1], ddof=1)) / part.shape[1] for part in (yes, no))
    error = sqrt(spread)
    if error == 0:
        return DeLong(difference, 0.0, difference, difference, 1.0 if difference == 0 else 0.0)
    low, high = difference - _QUANTILE * error, difference + _QUANTILE * error
    return DeLong(difference, error, low, high, erfc(abs(difference) / error / sqrt(2)))


def _components(scored: Scored) -> tuple[Array, Array]:
    """For each study that says yes, the share of no below it; for each no, the share of yes above it."""
    yes, no = scored.probability[scored.label], scored.probability[~scored.label]
    return _shares(yes, no), 1 - _shares(no, yes)


def _shares(values: Array, others: Array) -> Array:
    """For each of `values` the share of `others` below it; ties count half."""
    ordered = np.sort(others)
    below = np.searchsorted(ordered, values, side="left") + np.searchsorted(ordered, values, side="right")
    return below / (2 * len(others))
