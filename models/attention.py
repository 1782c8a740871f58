"""From the network's gates to one map a reader can look at."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]

METHOD: Final = (
    "Geometric mean of the network's residual-attention gates, from the forward pass that gave the "
    "probability. 1 is the study's strongest gate, or a neutral gate where none is stronger. It shows what "
    "the network passed on, not where scar is."
)
_FLOOR: Final = 1e-6


def combined(gates: Sequence[Array], side: int) -> Array:
    """The geometric mean of `gates`, each (phase, slice, row, column), on planes of `side` x `side` pixels.

    A gate of 1 is neutral; coarser gates are brought up bilinearly.
    """
    logs = [np.log(np.maximum(_enlarged(gate, side), _FLOOR)) for gate in gates]
    mean: Array = np.exp(np.mean(logs, axis=0)).astype(np.float32)
    return mean


def shown(gate: Array) -> Array:
    """`gate` as 0..1: over the study's peak, but never so that a dampened gate looks strong."""
    scaled: Array = np.clip(gate / max(float(gate.max()), 1.0), 0.0, 1.0).astype(np.float32)
    return scaled


def _enlarged(gate: Array, side: int) -> Array:
    rows = _bilinear(gate.shape[2], side)
    columns = _bilinear(gate.shape[3], side)
    enlarged: Array = np.einsum("rh,tzhw,cw->tzrc", rows, gate, columns, optimize=True)
    return enlarged


def _bilinear(size: int, side: int) -> Array:
    """(side, size) weights: pixel centres aligned, edges held."""
    return linear_weights((np.arange(side) + 0.5) * size / side - 0.5, size)


def linear_weights(places: NDArray[np.float64], size: int) -> Array:
    """(place, size) weights that interpolate between `size` values at `places`, edges held."""
    held = np.clip(places, 0, size - 1)
    before = np.minimum(held.astype(int), max(size - 2, 0))
    share = held - before
    rows = np.arange(len(held))
    weights = np.zeros((len(held), size), np.float32)
    weights[rows, before] = 1 - share
    weights[rows, np.minimum(before + 1, size - 1)] += share
    return weights
