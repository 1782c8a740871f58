"""Convolution by the convolution theorem, as three small matrices: fewer multiplications, the same numbers.

A convolution over `n` places with `2 r + 1` taps, zero padded to the same length, is a circular one over
n + r places, for what wraps round falls on places nobody asks for. In the discrete Fourier transform it is
one product per frequency; of a real signal half of the frequencies will do, and a complex product takes three
real ones (Karatsuba's trick, as Gauss had it). So there are matrices with

    y = synthesis @ ((kernel part of a product) * (analysis @ x))

Orthogonal transforms keep rounding at that of a direct sum, unlike the rational points of Winograd's.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
_Exact = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Products:
    """One convolution taken apart.

    Attributes:
        analysis: (product, place): what of the signal each product takes.
        kernels: (product, input channel, output channel): what it is multiplied by.
        synthesis: (place, product): how the products make up the result.
    """

    analysis: Array
    kernels: Array
    synthesis: Array


def products(kernel: Array, places: Sequence[int]) -> Products:
    """The products of a "same" cross-correlation, zero padded, as layers named convolution compute it.

    Args:
        kernel: (*taps, input channel, output channel), an odd number of taps along each axis.
        places: the signal's length along each of these axes; places are counted with the last axis fastest.
    """
    taps = kernel.shape[:-2]
    lengths = [n + size // 2 for n, size in zip(places, taps, strict=True)]
    # tap i of a correlation looks i - r places ahead, where a convolution's looks back
    steps = _grid([range(size // 2, -(size // 2) - 1, -1) for size in taps])
    spots = _grid([range(n) for n in places])
    weights = kernel.reshape(-1, *kernel.shape[-2:]).astype(np.float64)
    parts = [_frequency(one, lengths, spots, steps, weights) for one in _half(lengths)]
    analysis, kernels, synthesis = (np.concatenate(some) for some in zip(*parts, strict=True))
    scaled = synthesis.T / np.prod(lengths)
    return Products(_single(analysis), _single(kernels), _single(scaled))


def _frequency(
    frequency: tuple[int, ...], lengths: Sequence[int], spots: _Exact, steps: _Exact, weights: _Exact
) -> tuple[_Exact, _Exact, _Exact]:
    """What one frequency takes of the signal, of the kernel, and gives to the result: 1 or 3 rows each."""
    turns = 2 * np.pi * np.asarray(frequency) / np.asarray(lengths)
    cos, sin = np.cos(spots @ turns), np.sin(spots @ turns)
    real, imaginary = (np.tensordot(wave(steps @ turns), weights, 1) for wave in (np.cos, np.sin))
    if _is_real(frequency, lengths):
        return cos[None], real[None], cos[None]
    return (
        np.stack([cos, sin, cos + sin]),
        np.stack([real, imaginary, real + imaginary]),
        2 * np.stack([cos - sin, -cos - sin, sin]),
    )


def _half(lengths: Sequence[int]) -> list[tuple[int, ...]]:
    """One of every two frequencies that are each other's conjugate."""
    every = itertools.product(*(range(n) for n in lengths))
    return [one for one in every if one <= _conjugate(one, lengths)]


def _conjugate(frequency: tuple[int, ...], lengths: Sequence[int]) -> tuple[int, ...]:
    return tuple(-step % n for step, n in zip(frequency, lengths, strict=True))


def _is_real(frequency: tuple[int, ...], lengths: Sequence[int]) -> bool:
    return frequency == _conjugate(frequency, lengths)


def _grid(axes: Sequence[range]) -> _Exact:
    """(place, axis): every combination, the last axis fastest."""
    return np.array(list(itertools.product(*axes)), np.float64)


def _single(values: _Exact) -> Array:
    return np.ascontiguousarray(values, np.float32)
