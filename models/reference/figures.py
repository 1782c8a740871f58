"""The figures of the tables, each with the 95 % interval of a patient bootstrap."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.evaluation.bootstrap import Estimate, Resampling, estimated
from models.evaluation.figures import auc, figures_of
from models.evaluation.motion import baseline
from models.evaluation.scored import Scored
from models.reference.outcome import Outcome

RESAMPLING: Final = Resampling()
SHOWN: Final = ("auc", "sensitivity", "specificity")


def whole(scored: Scored) -> dict[str, Estimate]:
    """AUC, sensitivity and specificity of all studies."""
    return estimated(
        lambda weights: {name: figures_of(scored, weights)[name] for name in SHOWN},
        scored.patients,
        RESAMPLING,
    )


def kind_auc(scored: Scored, kind: str) -> Estimate:
    """How well studies of one kind are told from all studies of the other answer.

    0.5 where a lesion of this kind is not seen; below 0.5 where a confounder is taken for a lesion more often
    than not.
    """
    of_kind = _members(scored, "kind", [kind])
    return _auc_within(scored, of_kind | (scored.label != scored.label[of_kind][0]))


def site_auc(scored: Scored, site: str) -> Estimate:
    """The AUC at one site."""
    return _auc_within(scored, _members(scored, "site", [site]))


def site_gap(scored: Scored) -> Estimate:
    """The AUC at site B minus that at site A, on the same resamples."""
    here, there = (_members(scored, "site", [site]) for site in ("B", "A"))
    return estimated(
        lambda weights: {"gap": _area(scored, weights * here) - _area(scored, weights * there)},
        scored.patients,
        RESAMPLING,
    )["gap"]


def bars(outcome: Outcome) -> dict[str, Scored]:
    """What would be answered by whoever knows nothing but one simple measure."""
    scored = outcome.scored()
    return {name: baseline(np.array(values), scored) for name, values in outcome.measures.items()}


def _auc_within(scored: Scored, member: NDArray[np.bool_]) -> Estimate:
    figures = estimated(lambda weights: {"auc": _area(scored, weights * member)}, scored.patients, RESAMPLING)
    return figures["auc"]


def _area(scored: Scored, weights: NDArray[np.float64]) -> NDArray[np.float64]:
    return auc(scored.probability, scored.label, weights)


def _members(scored: Scored, of: str, values: Sequence[str]) -> NDArray[np.bool_]:
    return np.isin(np.asarray(scored.groups[of]), values)
