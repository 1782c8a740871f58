"""The release's CNN-LSTM, whose LSTM reads places and phases mixed.

It was trained slice by slice, each under its patient's label; here a study is the mean over its slices.
"""

from collections.abc import Sequence
from typing import Any

import keras

from models.axes import STUDY, OverSlices, SlicesAsSamples
from models.explanation.features import Axis, Features, in_space
from models.frame_cnn import features
from models.token_attention import TokenAttention

ATTENTION = ()
FEATURES = Features("last", (Axis("slice"), Axis("phase", 4, 1), *in_space(start=1, step=4)), "slice_scar")


def build(*, shape: Sequence[int] = STUDY) -> Any:
    """330,436 parameters."""
    cine = keras.Input(tuple(shape), name="cine")
    x = features(SlicesAsSamples(name="each_slice")(cine), 3, (2, 2, 2))
    x = keras.layers.Reshape((-1, x.shape[-1]), name="tokens")(x)
    x = TokenAttention(32, name="attention")(x)
    x = keras.layers.LSTM(10, name="along_tokens")(x)
    x = keras.layers.Dense(1, activation="sigmoid", dtype="float32", name="slice_scar")(x)
    return keras.Model(cine, OverSlices(shape[1], dtype="float32", name="scar")(x), name="cnn_lstm_ref")
