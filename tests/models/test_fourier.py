"""Convolution by products of spectra against the sum that defines it."""

from itertools import product

import numpy as np
import pytest

from models.fourier import products


@pytest.mark.parametrize(
    ("places", "taps"), [((20,), (11,)), ((7,), (3,)), ((3,), (11,)), ((8, 8), (3, 3)), ((5, 4), (3, 3))]
)
def test_the_products_make_up_the_zero_padded_sum(places: tuple[int, ...], taps: tuple[int, ...]) -> None:
    rng = np.random.default_rng(1)
    signal, kernel = rng.normal(size=(*places, 6)), rng.normal(size=(*taps, 6, 4)).astype(np.float32)
    padded = np.pad(signal, (*((size // 2,) * 2 for size in taps), (0, 0)))
    direct = np.zeros((*places, 4))
    for tap in product(*map(range, taps)):
        shifted = padded[tuple(slice(at, at + size) for at, size in zip(tap, places, strict=True))]
        direct += shifted @ kernel[tap]
    parts = products(kernel, places)
    flat = signal.reshape(-1, 6).astype(np.float32)
    taken = (parts.analysis @ flat)[:, None] @ parts.kernels
    assert np.allclose((parts.synthesis @ taken[:, 0]).reshape(direct.shape), direct, atol=2e-5)


def test_eleven_taps_over_twenty_phases_take_37_products_instead_of_220() -> None:
    kernel = np.zeros((11, 1, 1), np.float32)
    assert len(products(kernel, [20]).kernels) == 37
