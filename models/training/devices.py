"""Where a training computes: a GPU where there is one, all of them where Keras can share a batch out."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import keras

from models.hardware import visible_gpus

logger = logging.getLogger(__name__)


@contextmanager
def spread() -> Iterator[None]:
    """Within, every GPU takes its part of each batch, on JAX; TensorFlow computes on the first.

    The batch must then be a multiple of their number. Not tried by the project, which has no such machine.
    """
    gpus = visible_gpus()
    if len(gpus) < 2:
        yield
        return
    if keras.backend.backend() != "jax":
        logger.warning("%d GPUs are here, and one is used: KERAS_BACKEND=jax uses them all", len(gpus))
        yield
        return
    usual = keras.distribution.distribution()
    keras.distribution.set_distribution(keras.distribution.DataParallel(devices=list(gpus)))
    try:
        yield
    finally:
        keras.distribution.set_distribution(usual)
