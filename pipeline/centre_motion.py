"""The heart's centre by what moves: the left ventricle is the bright disc that moving edges surround."""

from functools import lru_cache
from typing import Any, Final

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from pipeline.volume import CineVolume

# The cavity's radius at some phase and slice, its edges, and the places we believe in (millimetres).
RADII_MM: Final = tuple(np.arange(12.0, 32.1, 2.5).tolist())
EDGE_MM: Final = 2.0
MOTION_MM: Final = 3.0
VOTE_MM: Final = 4.0
PRIOR_MM: Final = 40.0

VOTERS_PERCENTILE: Final = 85.0
PHASES: Final = 6
CENTRAL_SHARE: Final = 0.6
_WIDEST: Final = 24  # pixels of the widest kernel

Array = NDArray[np.float32]


def moving_disc(volume: CineVolume) -> tuple[float, float] | None:
    """(row, column) that most moving edges face, at the distance of an endocardium; None if nothing moves.

    Every plane's strongest moving edges vote along their gradient, towards the brighter side, for all centres
    at `RADII_MM`; votes of all slices are added, weighted by nearness to the image's centre. The centroid of
    motion alone, which is simpler, finds the right ventricle, the outflow tract or the chest wall as often.
    """
    _, row_mm, column_mm = volume.geometry.spacing_mm
    rows, columns = volume.voxels.shape[2:]
    votes = np.zeros((rows, columns), np.float32)
    chosen = volume.voxels[:: max(1, len(volume.voxels) // PHASES)]
    for index in range(volume.voxels.shape[1]):
        motion = _smooth(volume.voxels[:, index].std(axis=0), (row_mm, column_mm), MOTION_MM)
        for plane in chosen[:, index]:
            votes += _votes(_smooth(plane, (row_mm, column_mm), EDGE_MM), motion, (row_mm, column_mm))
    votes = _smooth(votes, (row_mm, column_mm), VOTE_MM) * _belief((rows, columns), (row_mm, column_mm))
    if not np.isfinite(votes).all() or votes.max() <= 0:
        return None
    row, column = np.unravel_index(int(votes.argmax()), votes.shape)
    return float(row), float(column)


def _votes(plane: Array, motion: Array, spacing_mm: tuple[float, float]) -> Array:
    """How many of the plane's moving edges vote for each pixel."""
    rows, columns = plane.shape
    down: Array = np.gradient(plane, spacing_mm[0], axis=0)
    right: Array = np.gradient(plane, spacing_mm[1], axis=1)
    steepness = np.sqrt(down * down + right * right)
    weight = np.sqrt(steepness) * motion
    rank = int(VOTERS_PERCENTILE / 100 * (weight.size - 1))
    voters = np.flatnonzero(weight > np.partition(weight, rank, axis=None)[rank])
    radii, steep = np.asarray(RADII_MM, np.float32)[:, None], steepness.flat[voters]
    row, column = (
        np.rint(start + radii * (edge.flat[voters] / steep / np.float32(step_mm))).astype(np.int32)
        for start, edge, step_mm in zip(
            np.divmod(voters.astype(np.int32), columns), (down, right), spacing_mm, strict=True
        )
    )
    inside = (row >= 0) & (row < rows) & (column >= 0) & (column < columns)
    counted = np.bincount((row * columns + column)[inside], minlength=rows * columns)
    votes: Array = counted.reshape(rows, columns).astype(np.float32)
    return votes


def _belief(shape: tuple[int, int], spacing_mm: tuple[float, float]) -> Array:
    """How likely the scanner's operator put the heart there: a Gaussian, and 0 in the outer parts."""
    weights = []
    for size, step_mm in zip(shape, spacing_mm, strict=True):
        away = np.abs(np.arange(size) - (size - 1) / 2)
        near = np.exp(-0.5 * (away * step_mm / PRIOR_MM) ** 2)
        weights.append(np.where(away <= size * CENTRAL_SHARE / 2, near, 0.0))
    belief: Array = np.outer(*weights).astype(np.float32)
    return belief


def _smooth(plane: NDArray[Any], spacing_mm: tuple[float, float], sigma_mm: float) -> Array:
    """Gaussian, the edges held: along the columns and then along the rows, for the kernel is a product."""
    smooth = plane.astype(np.float32)
    for axis, mm in enumerate(spacing_mm):
        smooth = _blurred(smooth, _weights(mm, sigma_mm), axis)
    return smooth


def _blurred(plane: Array, weights: Array, axis: int) -> Array:
    """The plane convolved along an axis with a symmetrical kernel, the middle weight first."""
    reach, size = len(weights) - 1, plane.shape[axis]
    padded = np.pad(plane, [(reach, reach) if one == axis else (0, 0) for one in range(2)], mode="edge")
    shifted = np.moveaxis(padded, axis, 0)
    total = shifted[reach : reach + size] * weights[0]
    for step in range(1, reach + 1):
        both = shifted[reach - step : reach - step + size] + shifted[reach + step : reach + step + size]
        both *= weights[step]
        total += both
    return np.moveaxis(total, 0, axis)


@lru_cache(maxsize=16)
def _weights(spacing_mm: float, sigma_mm: float) -> Array:
    """The half kernel of SimpleITK's discrete Gaussian, from its middle: what it makes of a single point.

    The filter itself walks pixel by pixel and takes five times as long.
    """
    point = sitk.GetImageFromArray(np.eye(1, 2 * _WIDEST + 1, _WIDEST))
    point.SetSpacing((spacing_mm, 1.0))
    line = sitk.GetArrayFromImage(sitk.DiscreteGaussian(point, [sigma_mm**2, 0.0], _WIDEST, 0.01, True))
    half: Array = line[0, _WIDEST:].astype(np.float32)
    return half[: int(np.flatnonzero(half)[-1]) + 1]
