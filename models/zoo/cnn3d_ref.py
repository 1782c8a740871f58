"""The release's 3D CNN: all images of the study stacked along one axis, slice after slice."""

from collections.abc import Sequence
from typing import Any

import keras

from models.axes import STUDY, as_one_stack
from models.explanation.features import IMAGE, Axis, Features, in_space
from models.resnet3d import features

ATTENTION = ()
FEATURES = Features("stage4_block2_norm", (*in_space(step=8), Axis(IMAGE, 8)))


def build(*, shape: Sequence[int] = STUDY) -> Any:
    """46,445,445 parameters, 46,433,027 of them trainable."""
    cine = keras.Input(tuple(shape), name="cine")
    x = features(as_one_stack(cine), (2, 2, 2))
    x = keras.layers.AveragePooling3D(4, name="pool")(x)
    x = keras.layers.Flatten(name="flat")(x)
    probability = keras.layers.Dense(1, activation="sigmoid", dtype="float32", name="scar")(x)
    return keras.Model(cine, probability, name="cnn3d_ref")
