"""How alike two maps order their places."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def rank_correlation(first: NDArray[Any], second: NDArray[Any]) -> float:
    """Spearman's: the correlation of ranks, ties at their mean rank; 0 where either is even throughout."""
    ranks = [_ranks(one) for one in (first, second)]
    spread = [float(one.std()) for one in ranks]
    if not all(spread):
        return 0.0
    products = np.mean((ranks[0] - ranks[0].mean()) * (ranks[1] - ranks[1].mean()))
    return float(products / (spread[0] * spread[1]))


def _ranks(values: NDArray[Any]) -> NDArray[np.float64]:
    _, place, count = np.unique(values.ravel(), return_inverse=True, return_counts=True)
    ranks: NDArray[np.float64] = (np.cumsum(count) - (count - 1) / 2.0)[place.ravel()]
    return ranks
