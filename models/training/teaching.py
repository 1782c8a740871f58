"""A network made to learn: its loss is a layer, so that Group DRO's state is a weight like any other.

Importing this loads Keras.
"""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from models.training.balance import DRO_STEP


def example_losses(answer: Any, probability: Any) -> Any:
    """(batch,) cross-entropy of each study; `answer` and `probability` are (batch, 1)."""
    return keras.losses.binary_crossentropy(answer, ops.cast(probability, "float32"))


def weighted(losses: Any, weights: Any) -> Any:
    """(batch,) w_i l_i. Raises ValueError for (batch,) beside (batch, 1): that product is (batch, batch)."""
    if len(losses.shape) != 1 or tuple(losses.shape) != tuple(weights.shape):
        raise ValueError(f"one weight per loss wanted, not {weights.shape} for {losses.shape}")
    return losses * weights


class WeightedLoss(keras.layers.Layer):  # type: ignore[misc]
    """Of probability, answer, group, weight: what each study adds to the mean loss, (batch,)."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(dtype="float32", **kwargs)

    def call(self, inputs: Sequence[Any]) -> Any:
        probability, answer, _, weight = inputs
        return weighted(example_losses(answer, probability), ops.squeeze(weight, -1))


class RobustLoss(keras.layers.Layer):  # type: ignore[misc]
    """Group DRO: of the same inputs, such that the mean is the sum of q_g L_g.

    L_g is the mean loss of group g in the batch. `shares` is q: uniform at first, times exp(eta L_g) at each
    step, made to sum to 1 again. A group that the batch does not hold keeps its part.
    """

    def __init__(self, groups: int, step: float = DRO_STEP, **kwargs: Any) -> None:
        super().__init__(dtype="float32", **kwargs)
        self._step = step
        self.shares = self.add_weight(
            shape=(groups,),
            initializer=keras.initializers.Constant(1.0 / groups),
            trainable=False,
            name="shares",
        )

    def call(self, inputs: Sequence[Any], training: bool = False) -> Any:
        probability, answer, group, _ = inputs
        losses = example_losses(answer, probability)
        members = ops.sum(group, axis=0)
        held = ops.maximum(members, 1.0)
        of_group = ops.sum(group * losses[:, None], axis=0) / held
        shares = ops.convert_to_tensor(self.shares)
        if training:
            shares = shares * ops.exp(self._step * ops.stop_gradient(of_group))
            shares = shares / ops.sum(shares)
            self.shares.assign(shares)
        each = ops.sum(group * (shares / held), axis=-1) * ops.cast(ops.shape(losses)[0], "float32")
        return weighted(losses, each)


def teacher(network: Any, groups: int, *, robust: bool, optimizer: Any) -> Any:
    """A model that learns `network`: of a batch's cine, answer, group and weight; compiled, built."""
    rest = [
        keras.Input((size,), name=name) for name, size in (("answer", 1), ("group", groups), ("weight", 1))
    ]
    cine = keras.Input(network.input.shape[1:], name="cine")
    loss = RobustLoss(groups, name="loss") if robust else WeightedLoss(name="loss")
    model = keras.Model([cine, *rest], loss([network(cine), *rest]), name=f"teacher_of_{network.name}")
    model.compile(optimizer=optimizer, loss=lambda _, losses: ops.mean(losses), jit_compile=_compiled())
    model.optimizer.build(model.trainable_variables)
    return model


def _compiled() -> bool:
    """XLA is what JAX is; on a processor TensorFlow is faster without it."""
    return bool(keras.backend.backend() == "jax")
