"""The operating point, chosen on the validation part by a rule that can be said in a sentence."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.errors import TrainingRefused
from models.training.scores import youden


@dataclass(frozen=True, slots=True)
class ThresholdRule:
    """`youden`, or `sensitivity` or `specificity` of at least `wanted` (0..1)."""

    kind: str
    wanted: float = 0.0

    @classmethod
    def parse(cls, text: str) -> "ThresholdRule":
        """`youden`, `sensitivity=0.9` or `specificity=0.9`. Raises TrainingRefused for anything else."""
        kind, _, number = text.partition("=")
        if text == "youden":
            return cls(kind)
        try:
            wanted = float(number)
        except ValueError:
            wanted = math.nan
        if kind not in ("sensitivity", "specificity") or not 0 < wanted <= 1:
            raise TrainingRefused(
                f"{text!r} is no rule for a threshold: youden, or for example sensitivity=0.9"
            )
        return cls(kind, wanted)

    @property
    def sentence(self) -> str:
        """What the manifest says."""
        if self.kind == "youden":
            return "Youden's J on the validation part"
        return f"{self.kind} of at least {self.wanted:g} on the validation part, the other as high as it gets"

    def choose(self, probability: NDArray[np.float64], label: NDArray[np.bool_]) -> float:
        """The threshold, 0..1, midway between the scores it parts. `label` holds both classes."""
        if self.kind == "youden":
            return youden(probability, label)
        scores = np.unique(probability)
        cuts = np.concatenate([[0.0], (scores[:-1] + scores[1:]) / 2, [1.0]])
        if self.kind == "sensitivity":
            fit = [cut for cut in cuts if (probability[label] >= cut).mean() >= self.wanted]
            return float(max(fit))
        fit = [cut for cut in cuts if (probability[~label] < cut).mean() >= self.wanted]
        return float(min(fit)) if fit else 1.0
