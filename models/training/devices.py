"""Where a training computes: a GPU where there is one, all of them where Keras can share a batch out."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import keras

logger = logging.getLogger(__name__)


@contextmanager
def spread(batch: int) -> Iterator[None]:
    """Within, devices take equal parts of each batch of `batch` studies, on JAX; TensorFlow uses the first.

    Devices are GPUs, or processors where there is none; of these JAX has one unless XLA_FLAGS says otherwise.
    As many are used as the batch can be shared out to evenly.
    """
    devices = keras.distribution.list_devices()
    if len(devices) < 2:
        yield
        return
    if keras.backend.backend() != "jax":
        logger.warning("%d devices are here, and one is used: KERAS_BACKEND=jax uses them all", len(devices))
        yield
        return
    used = max(count for count in range(1, len(devices) + 1) if batch % count == 0)
    if used < len(devices):
        logger.warning(
            "of %d devices %d are used: a batch of %d is no multiple of more", len(devices), used, batch
        )
    usual = keras.distribution.distribution()
    keras.distribution.set_distribution(keras.distribution.DataParallel(devices=devices[:used]))
    try:
        yield
    finally:
        keras.distribution.set_distribution(usual)
