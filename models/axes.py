"""Layers that lay a cine out for networks that see it otherwise: turned, stacked, or slice by slice.

Importing this module loads Keras.
"""

from typing import Any, Final

import keras
from keras import ops

from models.layers import SCOPE, Shape

STUDY: Final = (20, 10, 64, 64, 1)
"""(phase, slice, row, column, 1), the only size that networks of fixed size know."""
_SLICES_AS_CHANNELS: Final = (1, 3, 4, 2, 5)
_PHASES_AS_CHANNELS: Final = (2, 3, 4, 1, 5)
_ROWS_FIRST: Final = (3, 4, 2, 1, 5)


def slices_as_channels(cine: Any) -> Any:
    """(batch, phase, row, column, slice)."""
    return _last_dropped(keras.layers.Permute(_SLICES_AS_CHANNELS, name="turned")(cine))


def phases_as_channels(cine: Any) -> Any:
    """(batch, slice, row, column, phase)."""
    return _last_dropped(keras.layers.Permute(_PHASES_AS_CHANNELS, name="turned")(cine))


def as_one_stack(cine: Any) -> Any:
    """(batch, row, column, all images, 1): slice after slice, each with its phases."""
    x = keras.layers.Permute(_ROWS_FIRST, name="turned")(cine)
    _, rows, columns, slices, phases, _ = x.shape
    return keras.layers.Reshape((rows, columns, slices * phases, 1), name="stack")(x)


def _last_dropped(x: Any) -> Any:
    return keras.layers.Reshape(x.shape[1:-1], name="channels")(x)


def halved(x: Any, name: str) -> Any:
    """The last two axes at half their size; for exactly a half, bilinear resizing is the mean of 2 x 2.

    An odd last row or column is dropped.
    """
    return keras.layers.AveragePooling3D((1, 2, 2), name=name)(x)


@keras.saving.register_keras_serializable(SCOPE)
class SlicesAsSamples(keras.layers.Layer):  # type: ignore[misc]  # Keras ships no types
    """(batch, phase, slice, row, column, 1) to (batch * slice, phase, row, column, 1)."""

    def call(self, x: Any) -> Any:
        _, phases, _, rows, columns, channels = ops.shape(x)
        return ops.reshape(ops.swapaxes(x, 1, 2), (-1, phases, rows, columns, channels))

    def compute_output_shape(self, shape: Shape) -> Shape:
        return (None, shape[1], *shape[3:])


@keras.saving.register_keras_serializable(SCOPE)
class OverSlices(keras.layers.Layer):  # type: ignore[misc]
    """(batch * slice, channel) to (batch, channel), means over `slices`; in `mean+max` maxima beside them."""

    def __init__(self, slices: int, pooling: str = "mean", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.slices = slices
        self.pooling = pooling

    def call(self, x: Any) -> Any:
        of_study = ops.reshape(x, (-1, self.slices, ops.shape(x)[-1]))
        mean = ops.mean(of_study, axis=1)
        if self.pooling == "mean":
            return mean
        return ops.concatenate([mean, ops.max(of_study, axis=1)], axis=-1)

    def compute_output_shape(self, shape: Shape) -> Shape:
        return (shape[0], (shape[-1] or 0) * len(self.pooling.split("+")))

    def get_config(self) -> dict[str, Any]:
        config: dict[str, Any] = super().get_config()
        return config | {"slices": self.slices, "pooling": self.pooling}
