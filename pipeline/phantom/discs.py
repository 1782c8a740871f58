"""Round things beside the walls: papillary muscles in the left cavity, the aortic root above the valve."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.phantom.ventricle import Ventricle, inner_radius_mm, regional_motion

Floats = NDArray[np.floating[Any]]
Pixels = NDArray[np.float32]

_PAPILLARY_DEG = (28.0, 288.0)
_PAPILLARY_ZETA = (0.28, 0.80)
_ROOT_DEG = 115.0


@dataclass(frozen=True, slots=True, eq=False)
class Disc:
    """A disc in the short-axis plane: place (mm from the axis, degrees in the heart's frame) and radius."""

    away_mm: Floats
    angle_deg: Floats
    radius_mm: Floats


def share(parts: Sequence[Disc], radius_mm: Pixels, angle_deg: Pixels, edge_mm: float) -> Pixels:
    """How much of each pixel (polar coordinates in the heart's frame) lies in any of `parts`, 0 to 1."""
    total = np.zeros(np.broadcast_shapes(radius_mm.shape, parts[0].away_mm.shape), np.float32)
    for part in parts:
        present = part.radius_mm > 0
        if not present.any():
            continue
        away, turn, size = (np.asarray(v, np.float32) for v in (part.away_mm, part.angle_deg, part.radius_mm))
        apart = np.cos(np.radians(angle_deg - turn))
        apart *= radius_mm * (-2 * away)
        apart += radius_mm**2 + away**2
        distance = np.sqrt(np.maximum(apart, 0, out=apart), out=apart)
        total += np.clip((size - distance) / np.float32(edge_mm) + np.float32(0.5), 0, 1) * present
    return np.minimum(total, 1, out=total)


def papillary(ventricle: Ventricle, zeta: Floats, contraction: Floats) -> tuple[Disc, ...]:
    """The two papillary muscles: they ride on the wall, twist with it and thicken."""
    heart = ventricle.heart
    first, last = _PAPILLARY_ZETA
    along = (zeta - (first + last) / 2) / ((last - first) / 2)
    size = np.sqrt(np.clip(1 - along**2, 0, 1)) * 0.17 * ventricle.radius_mm * (1 + 0.12 * contraction)
    twist = heart.twist_deg * contraction * (zeta - 0.35)
    muscles = []
    for angle in _PAPILLARY_DEG:
        fixed = np.full_like(zeta, angle)
        motion, _ = regional_motion(heart, zeta, fixed)
        cavity = inner_radius_mm(ventricle, zeta, fixed) * (1 - ventricle.motion * motion * contraction)
        muscles.append(Disc(np.maximum(cavity - 0.85 * size, 0.0), angle + twist, size))
    return tuple(muscles)


def aortic_root(ventricle: Ventricle, zeta: Floats, wall_mm: float) -> Disc:
    """The aorta between both atria, above the mitral plane only."""
    size = np.where((zeta < -0.01) & (zeta > -0.7), 0.55 * ventricle.radius_mm + wall_mm, 0.0)
    return Disc(np.full_like(zeta, 0.95 * ventricle.radius_mm), np.full_like(zeta, _ROOT_DEG), size)
