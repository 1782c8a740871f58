"""How well a network tells scarred phantoms from healthy ones, and where it looks while doing so."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.attention import combined, shown
from models.evaluation import figures
from models.training.phantoms import Samples

Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """What a network said about samples, in their order.

    `probability` is (sample,); `attention` (sample, phase, slice, row, column) as a reader would see it.
    """

    probability: NDArray[np.float64]
    attention: Array


def ask(gated: Any, samples: Samples) -> Answers:
    """`gated` is a network whose outputs are [P(scar), gates...]; one sample at a time, as in the node."""
    probability = np.empty(len(samples))
    attention = np.empty(samples.cine.shape, np.float32)
    for index, cine in enumerate(samples.cine):
        answer = gated.predict_on_batch(cine.astype(np.float32)[None, ..., None])
        probability[index] = answer[0][0, 0]
        gates = [np.asarray(gate)[0, ..., 0] for gate in answer[1:]]
        attention[index] = shown(combined(gates, cine.shape[-1]))
    return Answers(probability, attention)


def auc(probability: Sequence[float] | NDArray[Any], label: NDArray[Any]) -> float:
    """Area under the ROC curve: how often a scarred sample scores above a healthy one; ties count half."""
    scarred = np.asarray(label) == 1
    if scarred.all() or not scarred.any():
        raise ValueError("an AUC needs samples of both kinds")
    (area,) = figures.auc(np.asarray(probability, float), scarred, np.ones((1, len(scarred))))
    return float(area)


def youden(probability: NDArray[Any], label: NDArray[Any]) -> float:
    """The threshold of the largest sensitivity + specificity, midway in the gap it falls in."""
    scores = np.unique(probability)
    cuts = np.concatenate([[0.0], (scores[:-1] + scores[1:]) / 2, [1.0]])
    gain = [(probability[label == 1] >= cut).mean() + (probability[label == 0] < cut).mean() for cut in cuts]
    best = np.flatnonzero(np.isclose(gain, np.max(gain)))
    return float(cuts[best[len(best) // 2]])


def mass_ratio(attention: Array, scar: NDArray[Any], region: NDArray[Any]) -> float:
    """Share of the attention within `region` that lies in `scar`, over the scar's share of `region`.

    All (phase, slice, row, column); `scar` and `region` are shares of each voxel, 0..1, the scar within the
    region. 1 is no better than an even map.
    """
    mass = float((attention * scar).sum() / (attention * region).sum())
    return mass / float(scar.sum() / region.sum())


def summary(answers: Answers, samples: Samples, threshold: float) -> dict[str, Any]:
    """The figures a manifest records. The ratios are means over true positives."""
    label = samples.label == 1
    positive = answers.probability >= threshold
    hits = np.flatnonzero(label & positive)
    crop = [_ratio(answers, samples, int(hit), whole=True) for hit in hits]
    wall = [_ratio(answers, samples, int(hit), whole=False) for hit in hits]
    return {
        "n": len(samples),
        "seeds": [int(samples.seeds.min()), int(samples.seeds.max())],
        "auc": round(auc(answers.probability, samples.label), 4),
        "sensitivity": round(float(positive[label].mean()), 4),
        "specificity": round(float((~positive[~label]).mean()), 4),
        "true_positives": len(hits),
        "attention_ratio_in_crop": round(float(np.mean(crop)), 3) if crop else None,
        "attention_ratio_in_wall": round(float(np.mean(wall)), 3) if wall else None,
        "attention_ratio_in_wall_lowest": round(float(np.min(wall)), 3) if wall else None,
    }


def _ratio(answers: Answers, samples: Samples, index: int, *, whole: bool) -> float:
    scar = samples.scar[index] / 100.0
    wall = np.maximum(samples.myocardium[index] / 100.0, scar)
    return mass_ratio(answers.attention[index], scar, np.ones_like(scar) if whole else wall)
