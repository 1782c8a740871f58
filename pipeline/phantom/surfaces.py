"""The heart's walls: nested surfaces around the long axis of the left ventricle, at any moment of the beat.

A truncated half ellipsoid holds the cavity. A point keeps its `zeta` (share of the long axis) and its angle;
in systole the axis shortens, the cavity's radius shrinks by the local amount, and the outer radius follows
from keeping the area of every small sector times the axis length: so the myocardium's volume never changes.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.phantom.heart import Heart
from pipeline.phantom.ventricle import (
    Ventricle,
    inner_radius_mm,
    material,
    outer_radius_mm,
    regional_motion,
)

Floats = NDArray[np.floating[Any]]

ABSENT = -10.0
"""Radius (mm) of a surface that is not there."""
_ATRIA_MM = 52.0
_GROOVES_DEG = (108.0, 252.0)


@dataclass(frozen=True, slots=True)
class Layers:
    """Radii (mm) of the nested surfaces, inside out, and the share of scar (0..1), all of one shape.

    Above the mitral plane `endo` and `epi` bound the left atrium.
    """

    endo: Floats
    epi: Floats
    rv: Floats
    rv_wall: Floats
    line: Floats
    fat: Floats
    scar: Floats


def layers(ventricle: Ventricle, zeta: Floats, angle_deg: Floats, contraction: Floats) -> Layers:
    """The surfaces met on a ray from the long axis.

    Args:
        ventricle: whose.
        zeta: place along the axis as it is now: 0 mitral plane, 1 endocardial apex, negative in the atria.
        angle_deg: of the ray in the heart's own frame, counter-clockwise, 180 at the septum.
        contraction: 0 at end-diastole, 1 at end-systole. All three broadcast.
    """
    zeta, angle_deg, contraction = np.broadcast_arrays(zeta, angle_deg, contraction)
    fixed = material(ventricle.heart, zeta, angle_deg, contraction)
    motion, scar = regional_motion(ventricle.heart, zeta, fixed)
    inner = inner_radius_mm(ventricle, zeta, fixed)
    outer = outer_radius_mm(ventricle, zeta, fixed, scar)
    endo = inner * (1 - ventricle.motion * motion * contraction)
    stretch = 1 - ventricle.heart.shortening * contraction
    epi = np.sqrt(endo**2 + (outer**2 - inner**2) / stretch)
    atrium = zeta < 0
    left_atrium = _atrium(ventricle, zeta, angle_deg, contraction)
    endo = np.where(atrium, left_atrium, np.where(inner > 0, endo, ABSENT))
    epi = np.where(atrium, left_atrium + 2.0, np.where(outer > 0, epi, ABSENT))
    rv = np.maximum(epi, _right_ventricle(ventricle, zeta, angle_deg, contraction))
    rv_wall = rv + 3.0 * np.clip((rv - epi) / 3.0, 0, 1)
    line = rv_wall + 1.1
    fat = line + _fat_mm(ventricle.heart, zeta, angle_deg)
    return Layers(endo, epi, rv, rv_wall, line, fat, np.where(atrium, 0.0, scar))


def _atrium(ventricle: Ventricle, zeta: Floats, angle_deg: Floats, contraction: Floats) -> Floats:
    """An ellipse behind the mitral valve that narrows away from it and fills while the ventricle empties."""
    height = _height(ventricle, zeta)
    size = 0.95 * ventricle.radius_mm * np.sqrt(1 - height**2) * (0.94 + 0.08 * contraction) + 1.0
    radius = _ellipse(angle_deg + 50.0, 1.05 * size, 0.85 * size, 0.2 * size)
    return np.where(height < 1, radius, ABSENT)


def _height(ventricle: Ventricle, zeta: Floats) -> Floats:
    """Height above the mitral plane as a share of the atria's."""
    height: Floats = np.clip(-zeta * ventricle.heart.length_mm / _ATRIA_MM, 0, 1)
    return height


def _right_ventricle(ventricle: Ventricle, zeta: Floats, angle_deg: Floats, contraction: Floats) -> Floats:
    """The free wall of the right ventricle: an ellipse beyond the septum that tapers towards the apex."""
    heart = ventricle.heart
    equator = ventricle.radius_mm + heart.wall_mm
    vigour = contraction * min(1.0, 0.3 + heart.ejection_fraction)
    taper = np.sqrt(np.clip(1 - (np.clip(zeta - 0.1, 0, None) / 0.86) ** 2, 0, 1))
    taper = taper * np.sqrt(1 - _height(ventricle, zeta) ** 2)
    shift = 0.55 * equator
    depth = (equator + heart.rv_width_mm - shift) * (1 - 0.17 * vigour)
    height = 0.97 * equator * (1 - 0.10 * vigour)
    radius = _ellipse(angle_deg - 178.0, depth * taper + 1e-3, height * taper + 1e-3, shift * taper)
    return np.where(taper > 0.02, radius, ABSENT)


def _fat_mm(heart: Heart, zeta: Floats, angle_deg: Floats) -> Floats:
    """Epicardial fat: a film, but thick in the two grooves between the ventricles and towards the base."""
    front, back = (np.cos(np.radians(angle_deg - groove)) for groove in _GROOVES_DEG)
    lumps = np.exp(6 * (front - 1)) + 0.8 * np.exp(8 * (back - 1))
    fat: Floats = 0.5 + 0.3 * heart.body_fat_mm * lumps * np.clip(1.2 - zeta, 0.2, 1.2)
    return fat


def _ellipse(angle_deg: Floats, along: Floats, across: Floats, shift: Floats) -> Floats:
    """Distance from the origin to an ellipse whose centre lies `shift` (< `along`) away at angle 0."""
    cosine, sine = np.cos(np.radians(angle_deg)), np.sin(np.radians(angle_deg))
    square = (cosine / along) ** 2 + (sine / across) ** 2
    half = shift * cosine / along**2
    rest = (shift / along) ** 2 - 1
    distance: Floats = (half + np.sqrt(half**2 - square * rest)) / square
    return distance
