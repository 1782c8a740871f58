"""The 3D CNN with the right axes: kernels over (slice, row, column), the phases its channels.

Planes are halved from stage to stage, slices are not: there are too few of them.
"""

from collections.abc import Sequence
from typing import Any

import keras

from models.axes import STUDY, phases_as_channels
from models.explanation.features import Axis, Features, in_space
from models.resnet3d import features

ATTENTION = ()
FEATURES = Features("stage4_block2_norm", (Axis("slice"), *in_space(step=8)))


def build(*, shape: Sequence[int] = STUDY) -> Any:
    """(batch, 20, 10, 64, 64, 1) float32 in 0..1 to (batch, 1) P(scar)."""
    cine = keras.Input(tuple(shape), name="cine")
    x = features(phases_as_channels(cine), (1, 2, 2))
    x = keras.layers.GlobalAveragePooling3D(dtype="float32", name="summary")(x)
    probability = keras.layers.Dense(1, activation="sigmoid", dtype="float32", name="scar")(x)
    return keras.Model(cine, probability, name="cnn3d")
