"""Grad-CAM (Selvaraju et al., ICCV 2017, DOI 10.1109/ICCV.2017.74). Importing this loads Keras.

With feature maps A^k and the score y before the sigmoid: a_k is the mean over positions of dy/dA^k, and the
map is max(0, sum_k a_k A^k) over its own maximum, brought up linearly to the size of the cine.
"""

from typing import Any, Final, final

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from models.explanation.explainer import Answer, Explained
from models.explanation.features import Features, on_cine
from models.explanation.gradients import at_input
from models.explanation.method import Method
from models.network import in_our_words

Array = NDArray[np.float32]

_NOTHING: Final = "Grad-CAM: no feature spoke for scar in this study, so that there is nothing to show"


@final
class GradCam:
    """Where the last feature maps spoke for scar: one pass to them, and back from the score."""

    method = Method.GRADCAM

    def __init__(self, model: Any, features: Features) -> None:
        """`model` is a Keras network, its first output the probability; `features` is where to look."""
        self._features = features
        inner = model.get_layer(features.layer).output
        self._seen = keras.Model(model.inputs, inner)
        if keras.backend.backend() == "tensorflow":
            self._seen.jit_compile = False
        self._score = logit(model, inner, features.score)
        cell = " x ".join(str(axis.step) for axis in features.axes if axis.name in ("row", "column"))
        self.statement = (
            f"Grad-CAM, not attention: the features of layer {features.layer} (one value per {cell} pixels), "
            "each weighted by how much its rise would raise the score of scar. 1 is the study's strongest "
            "place. It shows what spoke for scar to the network, not where scar is. "
            f"{features.remark}"
        ).strip()

    def __call__(self, cine: Array, answer: Answer) -> Explained:
        with in_our_words():
            maps = self._of_study(ops.convert_to_numpy(self._seen.predict_on_batch(cine[None, ..., None])))
            slopes = self._of_study(at_input(self._score, self._as_batch(maps)))
        weights = slopes.mean(axis=tuple(range(slopes.ndim - 1)))
        raised = np.maximum(maps @ weights, 0.0)
        if not raised.max() > 0:
            return Explained(None, (_NOTHING,))
        return Explained(on_cine(raised / raised.max(), self._features, cine.shape))

    def slope(self, cine: Array) -> float:
        """The largest |dy/dA| of any feature anywhere: 0 if nothing of the score reaches the features."""
        maps = ops.convert_to_numpy(self._seen.predict_on_batch(cine[None, ..., None]))
        return float(np.abs(at_input(self._score, maps)).max())

    def _of_study(self, batch: Array) -> Array:
        """Without the axis of the batch, unless the slices lie there."""
        return batch[0] if batch.ndim == len(self._features.axes) + 2 else batch

    def _as_batch(self, maps: Array) -> Array:
        slices_first = self._seen.output.ndim == len(self._features.axes) + 1
        return maps if slices_first else maps[None]


def logit(model: Any, inner: Any, layer: str) -> Any:
    """The score before the sigmoid of the Dense `layer`, as a function of the tensor `inner` of `model`.

    A scalar: the mean over the batch, which holds one study, or its slices.
    """
    dense = model.get_layer(layer)
    rest = keras.Model(inner, dense.input)

    def score(place: Any) -> Any:
        summary = rest(place, training=False)
        return ops.mean(ops.matmul(summary, dense.kernel) + dense.bias)

    return score
