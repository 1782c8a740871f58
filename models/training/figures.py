"""What a manifest says a network scored, part by part, each figure beside the number it was measured on."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.examples import Examples
from models.training.scores import auc


def counted(examples: Examples, indices: NDArray[np.int64]) -> dict[str, Any]:
    """How many studies, patients and positive answers."""
    return {
        "n": len(indices),
        "patients": len({examples.patients[int(index)] for index in indices}),
        "positives": int(examples.label[indices].sum()),
    }


def scored(
    examples: Examples, indices: NDArray[np.int64], probability: NDArray[np.float64], threshold: float
) -> dict[str, Any]:
    """AUC, and sensitivity and specificity at the threshold, of examples with both answers."""
    label = examples.label[indices]
    positive = probability >= threshold
    return counted(examples, indices) | {
        "auc": round(auc(probability, label), 4),
        "sensitivity": round(float(positive[label].mean()), 4),
        "specificity": round(float((~positive[~label]).mean()), 4),
    }
