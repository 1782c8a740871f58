"""The layers of our networks in NumPy, for one study at a time: (phase, slice, row, column, channel).

Each takes the settings and weights Keras saved for it and the arrays it works on, and goes through them phase
by phase or slice by slice, so that no more than its input, its output and one piece are in memory.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
Config = Mapping[str, Any]
Weights = Sequence[Array]


def _by_phase(function: Callable[..., Array], channels: int, *arrays: Array) -> Array:
    out = np.empty((*arrays[0].shape[:-1], channels), np.float32)
    for phase in range(len(out)):
        out[phase] = function(*(array[phase] for array in arrays))
    return out


def spatial_conv(config: Config, weights: Weights, x: Array) -> Array:
    """3 x 3 x 3 over (slice, row, column), zero padded."""
    kernel, bias = weights

    def convolved(volume: Array) -> Array:
        slices, rows, columns = volume.shape[:3]
        padded: Array = np.pad(volume, ((1, 1), (1, 1), (1, 1), (0, 0)))
        total = np.empty((*volume.shape[:3], len(bias)), np.float32)
        total[:] = bias
        for s, r, c in np.ndindex(3, 3, 3):
            total += padded[s : s + slices, r : r + rows, c : c + columns] @ kernel[s, r, c]
        return total

    return _by_phase(convolved, len(bias), x)


def temporal_conv(config: Config, weights: Weights, x: Array) -> Array:
    """Taps over the phases, zero padded, slice by slice."""
    kernel, bias = weights
    phases, taps = len(x), len(kernel)
    out = np.empty((*x.shape[:-1], len(bias)), np.float32)
    out[:] = bias
    for slice_ in range(x.shape[1]):
        for tap in range(taps):
            shift = tap - (taps - 1) // 2
            to, since = max(0, -shift), max(0, shift)
            count = phases - abs(shift)
            if count > 0:
                out[to : to + count, slice_] += x[since : since + count, slice_] @ kernel[tap, 0]
    return out


def attention_gate(config: Config, weights: Weights, x: Array) -> Array:
    """One gate per voxel and phase; the modes are explained at `models.layers.AttentionGate`."""
    hidden_kernel, hidden_bias, score_kernel, score_bias = weights

    def scored(volume: Array) -> Array:
        hidden: Array = volume @ hidden_kernel + hidden_bias
        scores: Array = np.asarray(relu({}, (), hidden) @ score_kernel + score_bias, np.float32)
        return scores

    score = _by_phase(scored, 1, x)
    if config["mode"] == "ref":
        return np.ones_like(score)
    if config["mode"] == "sigmoid":
        return np.float32(2) * _sigmoid(score)
    share: Array = np.exp(score - score.max())
    return np.asarray(score.size * share / share.sum(), np.float32)


def _sigmoid(x: Array) -> Array:
    return np.asarray(1.0 / (1.0 + np.exp(-x)), np.float32)


def halving(config: Config, weights: Weights, x: Array) -> Array:
    """The mean of each 2 x 2 block of a plane; an odd last row or column is dropped."""
    rows, columns = x.shape[2] // 2 * 2, x.shape[3] // 2 * 2
    even = x[:, :, :rows, :columns]
    return (
        even[:, :, ::2, ::2] + even[:, :, 1::2, ::2] + even[:, :, ::2, 1::2] + even[:, :, 1::2, 1::2]
    ) / np.float32(4)


def batch_normalization(config: Config, weights: Weights, x: Array) -> Array:
    """With the moments seen in training."""
    gamma, beta, mean, variance = weights
    scale = gamma / np.sqrt(variance + np.float32(config["epsilon"]))
    return _by_phase(lambda one: (one - mean) * scale + beta, x.shape[-1], x)


def layer_normalization(config: Config, weights: Weights, x: Array) -> Array:
    """Over the channels."""
    gamma, beta = weights
    epsilon = np.float32(config["epsilon"])

    def normed(one: Array) -> Array:
        centred = one - one.mean(axis=-1, keepdims=True)
        variance = np.square(centred).mean(axis=-1, keepdims=True)
        return np.asarray(centred / np.sqrt(variance + epsilon) * gamma + beta, np.float32)

    return _by_phase(normed, x.shape[-1], x)


def relu(config: Config, weights: Weights, x: Array) -> Array:
    """Nothing below 0."""
    return np.maximum(x, np.float32(0))


def multiply(config: Config, weights: Weights, x: Array, gate: Array) -> Array:
    """A gate of one channel over all of them."""
    return x * gate


def add(config: Config, weights: Weights, x: Array, other: Array) -> Array:
    """Element by element."""
    return x + other


def dense(config: Config, weights: Weights, x: Array) -> Array:
    """The same linear map at every position, through its activation."""
    kernel, bias = weights
    y = _by_phase(lambda one: one @ kernel + bias, len(bias), x) if x.ndim > 1 else x @ kernel + bias
    if config["activation"] == "sigmoid":
        return _sigmoid(y)
    if config["activation"] != "linear":
        raise ValueError(f"activation {config['activation']!r}")
    return y


def global_summary(config: Config, weights: Weights, x: Array) -> Array:
    """Channel means over all positions, and their maxima if wanted."""
    positions = (0, 1, 2, 3)
    mean = x.mean(axis=positions, dtype=np.float64).astype(np.float32)
    return mean if config["pooling"] == "mean" else np.concatenate([mean, x.max(axis=positions)])


LAYERS: Final[Mapping[str, Callable[..., Array]]] = {
    "SpatialConv": spatial_conv,
    "TemporalConv": temporal_conv,
    "AttentionGate": attention_gate,
    "InPlaneHalving": halving,
    "GlobalSummary": global_summary,
    "BatchNormalization": batch_normalization,
    "LayerNormalization": layer_normalization,
    "ReLU": relu,
    "Multiply": multiply,
    "Add": add,
    "Dense": dense,
}
"""By the class name Keras saved."""
