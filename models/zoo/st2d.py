"""The (2+1)D network with the right axes: each slice's beat alone, then the slices' mean and maximum."""

from collections.abc import Sequence
from typing import Any

import keras

from models.axes import STUDY, OverSlices, SlicesAsSamples
from models.explanation.features import Axis, Features, in_space
from models.r2plus1d import features

ATTENTION = ()
FEATURES = Features("block4_add", (Axis("slice"), Axis("phase"), *in_space()))


def build(*, shape: Sequence[int] = STUDY) -> Any:
    """(batch, 20, 10, 64, 64, 1) float32 in 0..1 to (batch, 1) P(scar)."""
    cine = keras.Input(tuple(shape), name="cine")
    x = features(SlicesAsSamples(name="each_slice")(cine))
    x = OverSlices(shape[1], "mean+max", name="over_slices")(x)
    probability = keras.layers.Dense(1, activation="sigmoid", dtype="float32", name="scar")(x)
    return keras.Model(cine, probability, name="st2d")
