"""How much a network computes for one study: counted, not estimated, by letting one study pass.

Counted are the multiplications of a network's kernels, each with its addition: two floating-point operations.
Biases, norms, activations, pooling and the products with gates are not.
"""

from collections.abc import Callable, Mapping, Sequence
from math import prod
from types import MappingProxyType
from typing import Any, Final

import numpy as np

Shape = Sequence[int]


def flops(network: Any, study: Shape) -> int:
    """Floating-point operations of a Keras network for one cine of `study` (phase, slice, row, column)."""
    import keras

    layers = [layer for layer in network.layers if _kernels(layer)]
    seen = [tensor for layer in layers for tensor in (layer.input, layer.output)]
    passed = keras.Model(network.input, seen).predict_on_batch(np.zeros((1, *study, 1), np.float32))
    shapes = [one.shape for one in passed]
    return 2 * sum(
        _RULES.get(type(layer).__name__, _at_each_position)(_kernels(layer), given, made)
        for layer, given, made in zip(layers, shapes[::2], shapes[1::2], strict=True)
    )


def _kernels(layer: Any) -> list[Shape]:
    return [tuple(weight.shape) for weight in layer.weights if len(weight.shape) > 1]


def _at_each_position(kernels: Sequence[Shape], _: Shape, made: Shape) -> int:
    """Dense layers, convolutions and gates: every kernel once for every position of the output."""
    return prod(made[:-1]) * sum(map(prod, kernels))


def _at_each_step(kernels: Sequence[Shape], given: Shape, _: Shape) -> int:
    """Recurrent layers: every kernel once for every step of the input."""
    return prod(given[:-1]) * sum(map(prod, kernels))


def _for_each_pair(kernels: Sequence[Shape], given: Shape, _: Shape) -> int:
    """Attention among tokens: query and key for each, a score and a weighted token for every pair."""
    *to_tokens, score = kernels
    batch, tokens, channels = given
    return batch * (tokens * sum(map(prod, to_tokens)) + tokens**2 * (prod(score) + channels))


_RULES: Final[Mapping[str, Callable[[Sequence[Shape], Shape, Shape], int]]] = MappingProxyType(
    {"LSTM": _at_each_step, "TokenAttention": _for_each_pair}
)
