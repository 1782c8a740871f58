"""Derivatives of a score, which Keras leaves to its backends. Importing this loads Keras.

Eager on TensorFlow: XLA costs a processor more than it gains.
"""

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
Score = Callable[[Any], Any]
"""From a tensor of the backend to a scalar one."""


def at_input(score: Score, place: Array) -> Array:
    """D `score` / d `place`, of its shape."""
    return _BACKENDS[keras.backend.backend()](score, place)


def at_weights(score: Score, place: Array, variables: Sequence[Any]) -> list[Array]:
    """D `score`(`place`) / d each of the Keras `variables` that it is computed with."""
    if keras.backend.backend() == "jax":
        return _jax_weights(score, place, variables)
    if keras.backend.backend() == "torch":
        return _torch_weights(score, place, variables)
    import tensorflow as tf

    values = [variable.value for variable in variables]
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        for value in values:
            tape.watch(value)
        reached = score(tf.constant(place))
    found = tape.gradient(reached, values, unconnected_gradients=tf.UnconnectedGradients.ZERO)
    return [np.asarray(one) for one in found]


def _tensorflow(score: Score, place: Array) -> Array:
    import tensorflow as tf

    tensor = tf.constant(place)
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(tensor)
        reached = score(tensor)
    return np.asarray(tape.gradient(reached, tensor))


def _jax(score: Score, place: Array) -> Array:
    import jax

    return np.asarray(jax.grad(score)(jax.numpy.asarray(place)))


def _jax_weights(score: Score, place: Array, variables: Sequence[Any]) -> list[Array]:
    import jax

    def of_values(values: Sequence[Any]) -> Any:
        with keras.StatelessScope(state_mapping=list(zip(variables, values, strict=True))):
            return score(place)

    return [np.asarray(one) for one in jax.grad(of_values)([variable.value for variable in variables])]


def _torch(score: Score, place: Array) -> Array:
    tensor = keras.ops.convert_to_tensor(place).requires_grad_(True)
    score(tensor).backward()
    return np.asarray(tensor.grad.cpu())


def _torch_weights(score: Score, place: Array, variables: Sequence[Any]) -> list[Array]:
    import torch

    values = [variable.value for variable in variables]
    reached = score(keras.ops.convert_to_tensor(place))
    found = torch.autograd.grad(reached, values, allow_unused=True, materialize_grads=True)
    return [np.asarray(one.detach().cpu()) for one in found]


_BACKENDS = {"tensorflow": _tensorflow, "jax": _jax, "torch": _torch}
