"""The convolutions of the CNN-LSTM, over (phase, row, column) of one slice."""

from typing import Any

import keras


def features(x: Any, depth: int, pooled: tuple[int, int, int]) -> Any:
    """To 64 channels on a coarser grid; kernels are `depth` or 1 deep and 3 or 5 wide.

    `depth` is 3 for the published network, which mixes neighbouring phases, and 1 to see each by itself;
    `pooled` is by how much each of three poolings coarsens.
    """
    x = _conv(x, 32, depth, "first", kernel_regularizer=keras.regularizers.L1L2(1e-5, 1e-5))
    x = keras.layers.BatchNormalization(name="first_norm")(x)
    x = keras.layers.BatchNormalization(name="inner_norm")(_conv(x, 32, depth, "inner", padding="valid"))
    x = _conv(x, 32, depth, "wide", side=5)
    x = keras.layers.BatchNormalization(name="wide_norm")(_pooled(x, pooled, "wide"))
    x = keras.layers.Dropout(0.4, name="wide_drop")(x)
    x = keras.layers.BatchNormalization(name="deep_norm")(
        _pooled(_conv(x, 64, depth, "deep"), pooled, "deep")
    )
    x = _pooled(_conv(x, 64, depth, "last"), pooled, "last")
    return keras.layers.Dropout(0.4, name="last_drop")(x)


def _conv(x: Any, width: int, depth: int, name: str, side: int = 3, **more: Any) -> Any:
    kernel = (side if depth > 1 else 1, side, side)
    given = {"padding": "same", "activation": "relu", "kernel_initializer": "he_normal", **more}
    return keras.layers.Conv3D(width, kernel, name=name, **given)(x)


def _pooled(x: Any, size: tuple[int, int, int], name: str) -> Any:
    return keras.layers.MaxPooling3D(size, name=f"{name}_pool")(x)
