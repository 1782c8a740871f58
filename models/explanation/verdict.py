"""What came of the proof that a model's maps by one method say something about the model."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from models.explanation.method import Method


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a model is explainable by one method, and the figures that say so.

    Attributes:
        alive: whether it is; a map by a method that is not alive goes into no report.
        sentence: why, or why not.
        variance: of the map (0..1) over its positions, the least of the inputs; 0 is an even map.
        gradient: the largest gradient of the score that reaches what the map is made from: the attention's
            weights, the least of its gates, or Grad-CAM's feature maps; None for a method that needs none.
        rank_correlation: Spearman's, between the maps before and after weights are drawn anew; near 1 is a
            map that does not depend on them.
        lesion_ratio: share of the map's mass in the lesions of phantoms over the lesions' share of the
            volume, a mean over those called positive; 1 is an even map. None if there were too few to tell.
        phantoms: how many phantoms the ratio is a mean over.
    """

    alive: bool
    sentence: str
    variance: float
    gradient: float | None
    rank_correlation: float
    lesion_ratio: float | None = None
    phantoms: int = 0

    def __post_init__(self) -> None:
        figures = (self.variance, self.gradient, self.rank_correlation, self.lesion_ratio)
        if not all(_is_number(one) for one in figures if one is not None):
            raise ValueError("the figures of an explanation are finite numbers")
        if not (isinstance(self.alive, bool) and isinstance(self.sentence, str)):
            raise ValueError("an explanation is alive or not, and says why")


def _is_number(figure: object) -> bool:
    return isinstance(figure, int | float) and math.isfinite(figure)


def verdicts_from(plain: Mapping[str, Any]) -> dict[Method, Verdict]:
    """The verdicts in a manifest. Raises ValueError or TypeError if they are something else."""
    return {Method(method): Verdict(**figures) for method, figures in dict(plain).items()}


def verdicts_as_plain(verdicts: Mapping[Method, Verdict]) -> dict[str, Any]:
    """The inverse of `verdicts_from`, for JSON."""
    return {method.value: asdict(verdict) for method, verdict in verdicts.items()}
