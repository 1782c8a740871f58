"""What a simple measure of motion reaches, without any network: the bar that a network must clear.

Infarcted hearts of public data sets beat worse than healthy ones, and a network that merely sees so looks as
if it saw scar. Two measures of a prepared cine (phase, slice, row, column), both within DISC_MM of the crop's
middle in every slice of the network's grid:

ejection: Otsu's threshold over all voxels of the disc in all phases parts blood from the rest. The blood's
    voxels are counted per phase, all slices together; the measure is 1 - fewest / most.
motion: the standard deviation of every voxel over the phases, averaged over the disc.

Neither finds a contour. A measure alone becomes a probability by logistic regression on itself.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.evaluation.scored import Scored
from models.examples import Examples

Array = NDArray[np.float64]

DISC_MM: Final = 32.0
_LEVELS: Final = 256
_RIDGE: Final = 1e-3
_STEPS: Final = 25


def ejection(cine: NDArray[np.floating], spacing_mm: float) -> float:
    """The share of the disc's blood that is gone when there is least of it, 0..1."""
    inner = _within(cine, spacing_mm)
    blood = (inner > otsu(inner)).sum(axis=(1, 2))
    return 1.0 - float(blood.min()) / float(blood.max()) if blood.max() else 0.0


def motion(cine: NDArray[np.floating], spacing_mm: float) -> float:
    """How much the disc's voxels change over the beat, in units of the prepared cine."""
    return float(_within(cine, spacing_mm).std(axis=0).mean())


MEASURES: Final[Mapping[str, Callable[[NDArray[np.floating], float], float]]] = MappingProxyType(
    {"Ejection alone": ejection, "Motion alone": motion}
)


def measured(examples: Examples) -> dict[str, Array]:
    """Every measure of every study, (study,)."""
    spacing_mm = examples.recipe.spacing_mm
    rows = [
        [measure(np.asarray(examples.cine[index], np.float64), spacing_mm) for measure in MEASURES.values()]
        for index in range(len(examples))
    ]
    return dict(zip(MEASURES, np.asarray(rows).T, strict=True))


def baseline(measure: Array, scored: Scored) -> Scored:
    """What a network would say that knows nothing but `measure`, at the odds of the studies judged.

    Slope and intercept are fitted to these very studies, yes and no counting alike. That favours the measure:
    its AUC is never clearly below a half, and the bar rather too high than too low. To fit without the one
    who is judged would favour the network: where a measure knows nothing, leaving out tips every answer to
    the wrong side, and the AUC comes near 0.
    """
    share = float(scored.label.mean())
    logit = _fitted(measure, scored.label) + np.log(share / (1 - share))
    return scored.answered(_sigmoid(logit), share)


def otsu(values: NDArray[np.floating]) -> float:
    """The threshold in 0..1 that parts `values` into the two classes farthest apart (N. Otsu, 1979)."""
    counts, edges = np.histogram(values, _LEVELS, (0.0, 1.0))
    middles = (edges[:-1] + edges[1:]) / 2
    below, mass = np.cumsum(counts), np.cumsum(counts * middles)
    above = below[-1] - below
    lower = np.divide(mass, below, out=np.zeros_like(mass), where=below > 0)
    upper = np.divide(mass[-1] - mass, above, out=np.zeros_like(mass), where=above > 0)
    apart = below * above * (upper - lower) ** 2
    best = np.flatnonzero(apart == apart.max())
    return float(edges[1 + best[len(best) // 2]])


def _within(cine: NDArray[np.floating], spacing_mm: float) -> NDArray[np.floating]:
    """(phase, slice, voxel) of the disc."""
    rows, columns = cine.shape[-2:]
    row, column = np.ogrid[:rows, :columns]
    distance = np.hypot(row - (rows - 1) / 2, column - (columns - 1) / 2) * spacing_mm
    return cine[..., distance <= DISC_MM]


def _fitted(measure: Array, label: NDArray[np.bool_]) -> Array:
    """The logits of a logistic regression on one measure, by Newton's method, with a hair of ridge."""
    weight = np.where(label, 0.5 / label.sum(), 0.5 / (~label).sum())
    spread = float(measure.std()) or 1.0
    design = np.stack([np.ones(len(measure)), (measure - measure.mean()) / spread], axis=1)
    coefficients = np.zeros(2)
    for _ in range(_STEPS):
        probability = _sigmoid(design @ coefficients)
        slope = design.T @ (weight * (probability - label)) + _RIDGE * coefficients
        bend = (design.T * (weight * probability * (1 - probability))) @ design + _RIDGE * np.eye(2)
        coefficients = coefficients - np.linalg.solve(bend, slope)
    logits: Array = design @ coefficients
    return logits


def _sigmoid(logit: Array) -> Array:
    return np.asarray(0.5 * (1 + np.tanh(logit / 2)))
