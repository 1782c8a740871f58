"""What pictures of a judgement are drawn from: curves, calibration and the four counts."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.evaluation.bootstrap import Estimate, Resampling, estimated
from models.evaluation.figures import BINS, in_bins, observed
from models.evaluation.scored import Scored

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Confusion:
    """How many studies were called what, and were what."""

    true_positive: int
    false_positive: int
    false_negative: int
    true_negative: int


@dataclass(frozen=True, slots=True)
class CalibrationPoint:
    """One bin of probabilities: their mean, the share of yes among its studies, and how many these are."""

    predicted: float
    observed: Estimate
    studies: int


def confusion(scored: Scored) -> Confusion:
    """The four counts at the operating point."""
    yes, positive = scored.label, scored.positive
    return Confusion(
        true_positive=int((yes & positive).sum()),
        false_positive=int((~yes & positive).sum()),
        false_negative=int((yes & ~positive).sum()),
        true_negative=int((~yes & ~positive).sum()),
    )


def roc(scored: Scored) -> tuple[Array, Array]:
    """False positive rate and sensitivity as the threshold falls past each probability."""
    yes, no = _called(scored)
    return no / no[-1], yes / yes[-1]


def precision_recall(scored: Scored) -> tuple[Array, Array]:
    """Recall and precision at every threshold that calls a study positive."""
    yes, no = (counts[1:] for counts in _called(scored))
    return yes / yes[-1], yes / (yes + no)


def calibration(scored: Scored, resampling: Resampling) -> tuple[CalibrationPoint, ...]:
    """The bins that hold studies, in order."""
    members = in_bins(scored.probability)
    filled = np.flatnonzero(members.any(axis=0)).tolist()

    def shares(weights: Array) -> dict[str, Array]:
        by_bin = observed(scored, weights)
        return {str(number): by_bin[:, number] for number in range(BINS)}

    found = estimated(shares, scored.patients, resampling)
    return tuple(
        CalibrationPoint(
            predicted=float(scored.probability[members[:, number]].mean()),
            observed=found[str(number)],
            studies=int(members[:, number].sum()),
        )
        for number in filled
    )


def _called(scored: Scored) -> tuple[Array, Array]:
    """How many of yes and of no are called positive, with the threshold falling past each probability."""
    order = np.argsort(-scored.probability, kind="stable")
    lasts = np.flatnonzero(np.diff(scored.probability[order], append=-1.0) < 0)
    yes, no = (np.cumsum(kind[order])[lasts] for kind in (scored.label, ~scored.label))
    return np.concatenate([[0.0], yes]), np.concatenate([[0.0], no])
