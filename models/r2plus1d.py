"""A residual (2+1)D network of (depth, row, column) grids: kernels in the plane, then along the depth."""

from typing import Any

import keras

from models.axes import halved
from models.cine4d import BLOCKS, WIDTHS, norm, skip


def features(x: Any) -> Any:
    """(batch, depth, row, column, channel) to (batch, 128), the means of the last block's channels."""
    x = _pair(x, WIDTHS[0], 7, "stem")
    x = keras.layers.BatchNormalization(name="stem_norm")(x)
    x = keras.layers.ReLU(name="stem_relu")(x)
    for block, width in zip(BLOCKS, WIDTHS, strict=True):
        x = _block(halved(x, f"{block}_half"), width, block)
    return keras.layers.GlobalAveragePooling3D(dtype="float32", name="summary")(x)


def _pair(x: Any, width: int, side: int, name: str) -> Any:
    x = keras.layers.Conv3D(width, (1, side, side), padding="same", name=f"{name}_space")(x)
    return keras.layers.Conv3D(width, (3, 1, 1), padding="same", name=f"{name}_time")(x)


def _block(x: Any, width: int, name: str) -> Any:
    y = norm(_pair(x, width, 3, f"{name}_a"), f"{name}_a_norm")
    y = keras.layers.ReLU(name=f"{name}_relu")(y)
    y = norm(_pair(y, width, 3, f"{name}_b"), f"{name}_b_norm")
    return keras.layers.Add(name=f"{name}_add")([skip(x, width, name), y])
