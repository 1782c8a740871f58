"""The receiver: coil shading, noise and whole numbers."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.phantom.heart import Heart
from pipeline.phantom.texture import texture

Pixels = NDArray[np.float32]

HIGHEST = 2047
"""The largest value an image may hold, so that every layout's stored bits suffice."""


def sensitivity(heart: Heart, local_mm: NDArray[np.floating[Any]]) -> Pixels:
    """Coil sensitivity times the unevenness of tissue at points (..., (right, down, apex)) mm; above 0."""
    slope = local_mm @ (np.asarray(heart.shading) / 100.0)
    gain: Pixels = (np.exp(np.clip(slope, -1.2, 0.4)) * (1 + 0.025 * texture(local_mm))).astype(np.float32)
    return gain


def receive(image: Pixels, noise: float, rng: np.random.Generator) -> Pixels:
    """The magnitude of `image` with noise of deviation `noise` in both channels (Rician), rounded."""
    if noise > 0:
        scale = np.float32(noise)
        real = rng.standard_normal(image.shape, dtype=np.float32)
        imaginary = rng.standard_normal(image.shape, dtype=np.float32)
        real *= scale
        real += image
        imaginary *= scale
        real *= real
        imaginary *= imaginary
        real += imaginary
        image = np.sqrt(real, out=real)
    whole: Pixels = np.clip(np.rint(image), 0, HIGHEST)
    return whole
