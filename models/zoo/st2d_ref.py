"""The release's "2D spatiotemporal" network: its axes are those of a stack of all images.

What it calls frames are image rows, and its plane is (column, image).
"""

from collections.abc import Sequence
from typing import Any

import keras

from models.axes import STUDY, as_one_stack
from models.explanation.features import IMAGE, Axis, Features
from models.r2plus1d import features

ATTENTION = ()
FEATURES = Features("block4_add", (Axis("row"), Axis("column", 16), Axis(IMAGE, 16)))


def build(*, shape: Sequence[int] = STUDY) -> Any:
    """440,593 parameters."""
    cine = keras.Input(tuple(shape), name="cine")
    x = features(as_one_stack(cine))
    probability = keras.layers.Dense(1, activation="sigmoid", dtype="float32", name="scar")(x)
    return keras.Model(cine, probability, name="st2d_ref")
