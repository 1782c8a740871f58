"""Additive self-attention between the positions of a grid, as the released CNN-LSTM has it."""

from typing import Any

import keras
from keras import ops

from models.layers import SCOPE, Shape


@keras.saving.register_keras_serializable(SCOPE)
class TokenAttention(keras.layers.Layer):  # type: ignore[misc]  # Keras ships no types
    """(batch, token, channel) to the same shape: each token becomes a mean of all.

    Weights are softmax(tanh(w . tanh(Q x_i + K x_j + b) + c)) over j.
    """

    def __init__(self, units: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units = units

    def build(self, shape: Shape) -> None:
        channels = shape[-1]
        self.query = self.add_weight(shape=(channels, self.units), name="query")
        self.key = self.add_weight(shape=(channels, self.units), name="key")
        self.bias = self.add_weight(shape=(self.units,), initializer="zeros", name="bias")
        self.score = self.add_weight(shape=(self.units, 1), name="score")
        self.score_bias = self.add_weight(shape=(1,), initializer="zeros", name="score_bias")

    def call(self, x: Any) -> Any:
        query, key = ops.matmul(x, self.query)[:, :, None], ops.matmul(x, self.key)[:, None]
        hidden = ops.tanh(query + key + self.bias)
        scores = ops.tanh(ops.matmul(hidden, self.score)[..., 0] + self.score_bias)
        return ops.matmul(ops.softmax(scores, axis=-1), x)

    def compute_output_shape(self, shape: Shape) -> Shape:
        return shape

    def get_config(self) -> dict[str, Any]:
        config: dict[str, Any] = super().get_config()
        return config | {"units": self.units}
