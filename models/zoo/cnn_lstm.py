"""The CNN-LSTM with the right axes: a CNN on every image, an LSTM along the beat, then the slices' mean."""

from collections.abc import Sequence
from typing import Any

import keras

from models.axes import STUDY, OverSlices, SlicesAsSamples
from models.explanation.features import Axis, Features, in_space
from models.frame_cnn import features

ATTENTION = ()
FEATURES = Features("last", (Axis("slice"), Axis("phase"), *in_space(start=1, step=4)))


def build(*, shape: Sequence[int] = STUDY) -> Any:
    """(batch, 20, 10, 64, 64, 1) float32 in 0..1 to (batch, 1) P(scar)."""
    cine = keras.Input(tuple(shape), name="cine")
    x = features(SlicesAsSamples(name="each_slice")(cine), 1, (1, 2, 2))
    _, phases, rows, columns, channels = x.shape
    x = keras.layers.AveragePooling3D((1, rows, columns), name="plane_mean")(x)
    x = keras.layers.Reshape((phases, channels), name="beat")(x)
    x = keras.layers.LSTM(10, name="along_beat")(x)
    x = OverSlices(shape[1], name="over_slices")(x)
    probability = keras.layers.Dense(1, activation="sigmoid", dtype="float32", name="scar")(x)
    return keras.Model(cine, probability, name="cnn_lstm")
