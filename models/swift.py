"""ST-RAN's forward pass rewritten for a processor: the same numbers within rounding, in about half the time.

The Keras network stays the truth. What is here is derived from its weights, for TensorFlow on a CPU and one
size of input, and `models.network` uses it only after it has given the network's own answer. What is saved,
and how much (docs/performance.md has the profile):

- the stem, a third of the time, is computed in strips of rows that stay in the cache, its batch norm folded
  into the convolution before it;
- convolutions over the phases, and those in the small planes of the last blocks, go through `models.fourier`;
- a layer norm needs no mean where the map before it is linear: that map's weights are centred instead;
- bias and ReLU are written so that TensorFlow computes them within the product before them.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from models.swift_layers import Gate, Linear, Norm, dense, halved, over_space, over_time, stem

Array = NDArray[np.float32]
Swift = Callable[[Array], list[Array]]

ARCHITECTURE: Final = "stran"
"""The one network that has this form."""

_BLOCKS: Final = ("block1", "block2", "block3", "block4")
_LEAST_SIDE: Final = 16


class Unsuited(Exception):
    """This network, or this input, has no swift form."""


def swift_forward(network: Any, blocks: Sequence[str], grid: tuple[int, int, int, int]) -> Swift:
    """A function from (phase, slice, row, column) to [P(scar) (1, 1), the gates of `blocks` (phase, ...)].

    Args:
        network: an ST-RAN as `models.zoo.stran.build` makes it, with its weights.
        blocks: those whose residual gates are wanted.
        grid: phases, slices, rows and columns of every input.

    Raises:
        Unsuited: the network gates or pools in another way, or its planes cannot be halved evenly.
    """
    import tensorflow as tf

    if any(side % _LEAST_SIDE for side in grid[2:]):
        raise Unsuited(f"planes of {grid[2]} x {grid[3]} pixels")
    weights = _Weights(network)

    def compute(cine: Any) -> list[Any]:
        gates: dict[str, Any] = {}
        x = stem(
            tf, cine[..., None], weights.gate("stem_focus"), weights.linear("stem_space"), weights.stem_time()
        )
        for block in _BLOCKS:
            x = x if block == _BLOCKS[0] else halved(tf, x)
            gates[block] = weights.gate(f"{block}_attention")(tf, x)
            x = _residual(tf, x, gates[block], weights, block)
        summary = tf.concat([tf.reduce_mean(x, (0, 1, 2, 3)), tf.reduce_max(x, (0, 1, 2, 3))], 0)
        probability = tf.sigmoid(dense(tf, summary[None], weights.linear("scar")))
        return [probability, *(gates[block][..., 0] for block in blocks)]

    signature = [tf.TensorSpec(grid, tf.float32)]
    concrete = tf.function(compute, jit_compile=False, autograph=False).get_concrete_function(*signature)
    return lambda cine: [one.numpy() for one in concrete(tf.constant(cine))]


def _residual(tf: Any, x: Any, gate: Any, weights: "_Weights", block: str) -> Any:
    y = _conv4d(tf, x * gate, weights, f"{block}_a")
    y = _conv4d(tf, tf.nn.relu(y), weights, f"{block}_b")
    if weights.has(f"{block}_skip"):
        norm = weights.norm(f"{block}_skip_norm")
        x = norm(tf, dense(tf, x, norm.folded(weights.linear(f"{block}_skip"))))
    return x + y


def _conv4d(tf: Any, x: Any, weights: "_Weights", name: str) -> Any:
    """Gate, both convolutions and the layer norm."""
    norm = weights.norm(f"{name}_norm")
    x = x * weights.gate(f"{name}_focus")(tf, x)
    x = over_space(tf, x, weights.linear(f"{name}_space"))
    return norm(tf, over_time(tf, x, norm.folded(weights.linear(f"{name}_time"))))


class _Weights:
    """The numbers of a Keras network, by the names of its layers."""

    def __init__(self, network: Any) -> None:
        self._layers = {layer.name: layer for layer in network.layers}
        self._numbers = {name: layer.get_weights() for name, layer in self._layers.items()}
        if {layer.mode for layer in network.layers if hasattr(layer, "mode")} != {"sigmoid"}:
            raise Unsuited("gates that are no sigmoids")
        if self._layers["summary"].pooling != "mean+max":
            raise Unsuited("a head without maxima")

    def has(self, name: str) -> bool:
        return name in self._layers

    def linear(self, name: str) -> Linear:
        return Linear(*self._numbers[name])

    def gate(self, name: str) -> Gate:
        hidden_kernel, hidden_bias, score_kernel, score_bias = self._numbers[name]
        return Gate(Linear(hidden_kernel, hidden_bias), Linear(score_kernel, score_bias))

    def norm(self, name: str) -> Norm:
        gamma, beta = self._numbers[name]
        return Norm(gamma, beta, self._layers[name].epsilon)

    def stem_time(self) -> Linear:
        """The stem's convolution over the phases with the batch norm behind it."""
        gamma, beta, mean, variance = self._numbers["stem_norm"]
        factor = gamma / np.sqrt(variance + np.float32(self._layers["stem_norm"].epsilon))
        return self.linear("stem_time").scaled(factor, beta - mean * factor)
