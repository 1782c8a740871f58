"""Whether the score's gradient reaches the weights of the attention. Importing this loads Keras."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from models.explanation.gradcam import logit
from models.explanation.gradients import at_weights
from models.gates import gate_name
from models.network import in_our_words

Array = NDArray[np.float32]


def least_gradient(model: Any, blocks: Sequence[str], score: str, cine: Array) -> float:
    """The largest gradient within each of the blocks' gates, and of these the least; 0 is a dead gate.

    Computed from each gate's input on, which takes a fraction of the memory that the whole network would.
    """
    gates = [model.get_layer(gate_name(block)) for block in blocks]
    with in_our_words():
        return min(_largest(model, gate, score, cine) for gate in gates)


def _largest(model: Any, gate: Any, score: str, cine: Array) -> float:
    inner = keras.Model(model.inputs, gate.input)
    if keras.backend.backend() == "tensorflow":
        inner.jit_compile = False
    place = ops.convert_to_numpy(inner.predict_on_batch(cine[None, ..., None]))
    found = at_weights(logit(model, gate.input, score), place, gate.trainable_variables)
    return max(float(np.abs(one).max()) for one in found)
