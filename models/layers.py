"""ST-RAN's own layers, in `keras.ops` alone: one code for TensorFlow, JAX and PyTorch.

Importing this module loads Keras and its backend; only what builds or loads a network does, when asked to.
Every tensor is (batch, phase, slice, row, column, channel); all sizes but the channels are free.
"""

from collections.abc import Sequence
from typing import Any, Final

import keras
from keras import ops

SCOPE: Final = "dicom_node"
GATES: Final = ("sigmoid", "ref", "softmaxN")
POOLINGS: Final = ("mean+max", "mean")

Shape = tuple[int | None, ...]


def _config(layer: Any, *names: str) -> dict[str, Any]:
    base: dict[str, Any] = keras.layers.Layer.get_config(layer)
    return base | {name: getattr(layer, name) for name in names}


@keras.saving.register_keras_serializable(SCOPE)
class SpatialConv(keras.layers.Layer):  # type: ignore[misc]  # Keras ships no types
    """3 x 3 x 3 over (slice, row, column), the same weights in every phase; same size, with bias."""

    def __init__(self, filters: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.filters = filters

    def build(self, shape: Shape) -> None:
        self.kernel = self.add_weight(
            shape=(3, 3, 3, shape[-1], self.filters), initializer="glorot_uniform", name="kernel"
        )
        self.bias = self.add_weight(shape=(self.filters,), initializer="zeros", name="bias")

    def call(self, x: Any) -> Any:
        batch, phases, slices, rows, columns, channels = ops.shape(x)
        volumes = ops.reshape(x, (-1, slices, rows, columns, channels))
        y = ops.conv(volumes, self.kernel, padding="same", data_format="channels_last") + self.bias
        return ops.reshape(y, (batch, phases, slices, rows, columns, self.filters))

    def compute_output_shape(self, shape: Shape) -> Shape:
        return (*shape[:-1], self.filters)

    def get_config(self) -> dict[str, Any]:
        return _config(self, "filters")


@keras.saving.register_keras_serializable(SCOPE)
class TemporalConv(keras.layers.Layer):  # type: ignore[misc]
    """`taps` over the phases, the same weights at every voxel; same length, zero padded, with bias.

    The voxels are laid out as one axis, so that a taps x 1 convolution does it without a transpose.
    """

    def __init__(self, filters: int, taps: int = 11, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.filters = filters
        self.taps = taps

    def build(self, shape: Shape) -> None:
        self.kernel = self.add_weight(
            shape=(self.taps, 1, shape[-1], self.filters), initializer="glorot_uniform", name="kernel"
        )
        self.bias = self.add_weight(shape=(self.filters,), initializer="zeros", name="bias")

    def call(self, x: Any) -> Any:
        batch, phases, slices, rows, columns, channels = ops.shape(x)
        curves = ops.reshape(x, (batch, phases, slices * rows * columns, channels))
        y = ops.conv(curves, self.kernel, padding="same", data_format="channels_last") + self.bias
        return ops.reshape(y, (batch, phases, slices, rows, columns, self.filters))

    def compute_output_shape(self, shape: Shape) -> Shape:
        return (*shape[:-1], self.filters)

    def get_config(self) -> dict[str, Any]:
        return _config(self, "filters", "taps")


@keras.saving.register_keras_serializable(SCOPE)
class AttentionGate(keras.layers.Layer):  # type: ignore[misc]
    """One weight per voxel and phase, from its channels: score = W2 relu(W1 x + b1) + b2.

    `mode` turns scores into gates whose neutral value is 1:
        sigmoid: 2 sigmoid(score), 0..2, about 1 at the start;
        ref: 1 everywhere, which is what the published code computes (a softmax over one channel);
        softmaxN: N softmax over all N positions of the study, mean exactly 1.
    """

    def __init__(self, units: int, mode: str = "sigmoid", **kwargs: Any) -> None:
        if mode not in GATES:
            raise ValueError(f"gate {mode!r}; one of {', '.join(GATES)}")
        super().__init__(**kwargs)
        self.units = units
        self.mode = mode

    def build(self, shape: Shape) -> None:
        self.hidden_kernel = self._weight((shape[-1], self.units), "glorot_uniform", "hidden_kernel")
        self.hidden_bias = self._weight((self.units,), "zeros", "hidden_bias")
        self.score_kernel = self._weight((self.units, 1), "glorot_uniform", "score_kernel")
        self.score_bias = self._weight((1,), "zeros", "score_bias")

    def _weight(self, shape: Sequence[int | None], initializer: str, name: str) -> Any:
        return self.add_weight(shape=tuple(shape), initializer=initializer, name=name)

    def call(self, x: Any) -> Any:
        hidden = ops.relu(ops.matmul(x, self.hidden_kernel) + self.hidden_bias)
        score = ops.matmul(hidden, self.score_kernel) + self.score_bias
        if self.mode == "ref":
            return ops.ones_like(score)
        if self.mode == "sigmoid":
            return 2.0 * ops.sigmoid(score)
        flat = ops.reshape(score, (ops.shape(score)[0], -1))
        count = ops.cast(ops.shape(flat)[1], score.dtype)
        return ops.reshape(count * ops.softmax(flat, axis=-1), ops.shape(score))

    def compute_output_shape(self, shape: Shape) -> Shape:
        return (*shape[:-1], 1)

    def get_config(self) -> dict[str, Any]:
        return _config(self, "units", "mode")


@keras.saving.register_keras_serializable(SCOPE)
class InPlaneHalving(keras.layers.Layer):  # type: ignore[misc]
    """Every plane at half its rows and columns; slices and phases never shrink.

    Bilinear resizing by exactly one half, without antialiasing, reads midway between two pixels: it is the
    mean of each 2 x 2 block, which every backend computes alike. An odd last row or column is dropped.
    """

    def call(self, x: Any) -> Any:
        batch, phases, slices, rows, columns, channels = ops.shape(x)
        planes = ops.reshape(x, (-1, rows, columns, channels))
        y = ops.average_pool(planes, 2, 2, padding="valid", data_format="channels_last")
        return ops.reshape(y, (batch, phases, slices, rows // 2, columns // 2, channels))

    def compute_output_shape(self, shape: Shape) -> Shape:
        halves = (None if size is None else size // 2 for size in shape[3:5])
        return (*shape[:3], *halves, shape[5])


@keras.saving.register_keras_serializable(SCOPE)
class GlobalSummary(keras.layers.Layer):  # type: ignore[misc]
    """Channel means over all positions, and in mode `mean+max` the channel maxima beside them."""

    def __init__(self, pooling: str = "mean+max", **kwargs: Any) -> None:
        if pooling not in POOLINGS:
            raise ValueError(f"pooling {pooling!r}; one of {', '.join(POOLINGS)}")
        super().__init__(**kwargs)
        self.pooling = pooling

    def call(self, x: Any) -> Any:
        positions = (1, 2, 3, 4)
        mean = ops.mean(x, axis=positions)
        if self.pooling == "mean":
            return mean
        return ops.concatenate([mean, ops.max(x, axis=positions)], axis=-1)

    def compute_output_shape(self, shape: Shape) -> Shape:
        return (shape[0], (shape[-1] or 0) * len(self.pooling.split("+")))

    def get_config(self) -> dict[str, Any]:
        return _config(self, "pooling")
