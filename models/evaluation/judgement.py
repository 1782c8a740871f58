"""Everything that can be said about one network, or several, on one set of studies."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.evaluation.bootstrap import Estimate, Resampling, estimated
from models.evaluation.curves import CalibrationPoint, Confusion, calibration, confusion
from models.evaluation.figures import figures_of
from models.evaluation.groups import Gap, Group, gaps_of, groups_of
from models.evaluation.motion import baseline
from models.evaluation.pairs import Comparison, compared
from models.evaluation.scored import Scored

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Baseline:
    """A simple measure in the network's place: its own figures, and the network's minus these."""

    figures: Mapping[str, Estimate]
    behind: Comparison


@dataclass(frozen=True, slots=True, eq=False)
class Judgement:
    """One network on labelled studies.

    Attributes:
        scored: what it was judged by.
        figures: see `models.evaluation.figures.FIGURES`.
        confusion: the counts at its operating point.
        calibration: its probabilities, bin by bin, beside what was so.
        groups, gaps: how it serves whom.
        baselines: simple measures by name.
        resampling: what the intervals rest on.
    """

    scored: Scored
    figures: Mapping[str, Estimate]
    confusion: Confusion
    calibration: tuple[CalibrationPoint, ...]
    groups: tuple[Group, ...]
    gaps: tuple[Gap, ...]
    baselines: Mapping[str, Baseline]
    resampling: Resampling


def judge(scored: Scored, measures: Mapping[str, Array], resampling: Resampling) -> Judgement:
    """`measures` are the simple ones that the network is held against, (study,) each.

    Raises NotJudged if the studies do not hold both answers.
    """
    scored.require_both()
    groups = groups_of(scored, resampling)
    return Judgement(
        scored=scored,
        figures=figures(scored, resampling),
        confusion=confusion(scored),
        calibration=calibration(scored, resampling),
        groups=groups,
        gaps=gaps_of(scored, groups, resampling),
        baselines=_baselines(scored, measures, resampling),
        resampling=resampling,
    )


def figures(scored: Scored, resampling: Resampling) -> dict[str, Estimate]:
    """Every figure with its interval."""
    return estimated(lambda weights: figures_of(scored, weights), scored.patients, resampling)


def _baselines(scored: Scored, measures: Mapping[str, Array], resampling: Resampling) -> dict[str, Baseline]:
    found = {}
    for name, measure in measures.items():
        simple = baseline(measure, scored)
        found[name] = Baseline(figures(simple, resampling), compared(scored, simple, resampling))
    return found
