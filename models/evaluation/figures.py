"""Figures of merit, of the studies as they are and of many resamples at once.

A resample says how often each study counts; (resample, study) weights give (resample,) figures, and one row
of ones gives the figures of the studies themselves. A figure that a resample does not define, such as the
sensitivity where nobody is ill, is not a number there.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.evaluation.scored import Scored

Array = NDArray[np.float64]

BINS: Final = 10
"""Probabilities are told apart in so many bins of equal width; each holds its lower edge, the last both."""

FIGURES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "auc": "AUC",
        "sensitivity": "Sensitivity",
        "specificity": "Specificity",
        "ppv": "PPV",
        "npv": "NPV",
        "brier": "Brier score",
        "ece": f"ECE, {BINS} equal bins",
    }
)
"""Every figure and what it is called. Of Brier score and ECE less is better, of the others more."""


def figures_of(scored: Scored, weights: Array) -> dict[str, Array]:
    """Every figure of `FIGURES`, each (resample,); `weights` is (resample, study)."""
    yes, positive = scored.label, scored.positive
    right_yes, right_no = weights @ (yes & positive), weights @ (~yes & ~positive)
    return {
        "auc": auc(scored.probability, yes, weights),
        "sensitivity": _share(right_yes, weights @ yes),
        "specificity": _share(right_no, weights @ ~yes),
        "ppv": _share(right_yes, weights @ positive),
        "npv": _share(right_no, weights @ ~positive),
        "brier": _share(weights @ (scored.probability - yes) ** 2, weights.sum(1)),
        "ece": expected_calibration_error(scored, weights),
    }


def auc(score: Array, label: NDArray[np.bool_], weights: Array) -> Array:
    """How often a study that says yes scores above one that says no; ties count half."""
    order = np.argsort(score, kind="stable")
    rises = np.diff(score[order], prepend=-np.inf) > 0
    yes, no = (
        np.add.reduceat(weights[:, order] * kind[order], np.flatnonzero(rises), axis=1)
        for kind in (label, ~label)
    )
    below = np.cumsum(no, axis=1) - no
    return _share((yes * (below + no / 2)).sum(1), yes.sum(1) * no.sum(1))


def expected_calibration_error(scored: Scored, weights: Array) -> Array:
    """How far the mean probability of a bin lies from its share of yes, averaged over the studies."""
    excess = weights @ (in_bins(scored.probability) * (scored.probability - scored.label)[:, None])
    return _share(np.abs(excess).sum(1), weights.sum(1))


def observed(scored: Scored, weights: Array) -> Array:
    """(resample, bin) the share of yes among the studies of each bin of probability."""
    members = in_bins(scored.probability)
    return _share(weights @ (members & scored.label[:, None]), weights @ members)


def in_bins(probability: Array) -> NDArray[np.bool_]:
    """(study, bin) which bin each probability lies in."""
    number = np.minimum((probability * BINS).astype(int), BINS - 1)
    members: NDArray[np.bool_] = number[:, None] == np.arange(BINS)
    return members


def _share(part: Array, whole: Array) -> Array:
    share: Array = np.divide(part, whole, out=np.full(part.shape, np.nan), where=whole > 0)
    return share
