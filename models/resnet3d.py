"""A residual 3D network of (depth, row, column) grids, as the ST-RAN study compares with."""

from typing import Any, Final

import keras

_STAGES: Final = ((64, 2), (128, 5), (256, 5), (512, 2))

Stride = tuple[int, int, int]


def features(x: Any, stride: Stride) -> Any:
    """(batch, depth, row, column, channel) to 512 channels, `stride` coarser in each stage but the first."""
    x = keras.layers.BatchNormalization(name="input_norm")(x)
    x = _activated(keras.layers.Conv3D(_STAGES[0][0], 3, padding="same", name="stem")(x), "stem")
    for stage, (width, blocks) in enumerate(_STAGES, 1):
        for block in range(1, blocks + 1):
            coarser = stride if stage > 1 and block == 1 else (1, 1, 1)
            x = _block(x, width, coarser, f"stage{stage}_block{block}")
    return x


def _activated(x: Any, name: str) -> Any:
    return keras.layers.BatchNormalization(name=f"{name}_norm")(keras.layers.ReLU(name=f"{name}_relu")(x))


def _block(x: Any, width: int, stride: Stride, name: str) -> Any:
    y = keras.layers.Conv3D(width, 3, strides=stride, padding="same", name=f"{name}_a")(x)
    y = keras.layers.Conv3D(width, 3, padding="same", name=f"{name}_b")(_activated(y, f"{name}_a"))
    if stride != (1, 1, 1):
        x = keras.layers.Conv3D(width, 1, strides=stride, padding="same", name=f"{name}_skip")(x)
    return _activated(keras.layers.Add(name=f"{name}_add")([x, y]), name)
