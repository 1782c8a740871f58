"""The left ventricle as a solid: radii at end-diastole, local motion, and exact volumes."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.phantom.heart import Heart
from pipeline.phantom.segments import weight

Floats = NDArray[np.floating[Any]]

_EQUATOR = 0.25
_APEX_WALL = 0.7
_MOST_MOTION = 0.68


@dataclass(frozen=True, slots=True)
class Ventricle:
    """A heart with its cavity's size and inward motion solved.

    Attributes:
        radius_mm: of the cavity where it is widest, at end-diastole.
        motion: share of the radius lost at end-systole where the wall is healthy.
        moments: mean over the cavity's surface of radius^2 times local motion to the power 0, 1 and 2 (mm2).
    """

    heart: Heart
    radius_mm: float
    motion: float
    moments: tuple[float, float, float]

    def cavity_ml(self, contraction: Floats) -> Floats:
        """Volume of the cavity, exact for the surfaces of this model."""
        still, once, twice = self.moments
        moved = self.motion * contraction
        length = self.heart.length_mm * (1 - self.heart.shortening * contraction)
        volume: Floats = np.pi * length * (still - 2 * moved * once + moved**2 * twice) / 1000
        return volume


def solve(heart: Heart) -> Ventricle:
    """The ventricle whose volumes are the heart's, by the closed form of its volume as a function of motion.

    Where scar is so large that healthy wall would have to lose more than 68 % of its radius, motion stops
    there and the ejection fraction falls short of the drawn one.
    """
    zeta = ((np.arange(240) + 0.5) / 240)[:, None]
    angle = ((np.arange(180) + 0.5) * 2.0)[None, :]
    square = (_profile(zeta, 0.0) * _shape(heart, angle)) ** 2
    radius = float(np.sqrt(heart.edv_ml * 1000 / (np.pi * heart.length_mm * square.mean())))
    square = square * radius**2
    local, _ = regional_motion(heart, zeta, angle)
    still, once, twice = (float((square * local**power).mean()) for power in range(3))
    left = (1 - heart.ejection_fraction) / (1 - heart.shortening)
    root = max(0.0, once**2 - twice * still * (1 - left))
    motion = min(_MOST_MOTION, (once - root**0.5) / twice)
    return Ventricle(heart, radius, motion, (still, once, twice))


def material(heart: Heart, zeta: Floats, angle_deg: Floats, contraction: Floats) -> Floats:
    """The end-diastolic angle of what now lies at `angle_deg`: base and apex twist against each other."""
    untwisted: Floats = angle_deg - heart.twist_deg * contraction * (zeta - 0.35)
    return untwisted


def regional_motion(heart: Heart, zeta: Floats, angle_deg: Floats) -> tuple[Floats, Floats]:
    """Local motion (1: as the heart's motion says) and share of scar (0..1) at a place of the wall."""
    turn = np.radians(angle_deg)
    one, two, three, four = heart.unevenness
    motion = 1 + one * np.cos(turn) + two * np.sin(turn) + three * np.cos(2 * turn) + four * np.sin(2 * turn)
    motion = motion + 0.0 * zeta
    if heart.variant.weak:
        motion = motion * (1 - heart.variant.weakness * weight(heart.variant.weak, zeta, angle_deg))
    if heart.scar is None:
        return motion, np.zeros_like(motion)
    scar = weight(heart.scar.segments, zeta, angle_deg)
    return motion * (1 - heart.scar.severity * scar), scar


def inner_radius_mm(ventricle: Ventricle, zeta: Floats, angle_deg: Floats) -> Floats:
    """The cavity's radius at end-diastole; 0 beyond its apex."""
    inner: Floats = ventricle.radius_mm * _profile(zeta, 0.0) * _shape(ventricle.heart, angle_deg)
    return inner


def outer_radius_mm(ventricle: Ventricle, zeta: Floats, angle_deg: Floats, scar: Floats) -> Floats:
    """The outer radius at end-diastole of a wall with that share of scar; 0 beyond the apical cap."""
    heart = ventricle.heart
    inner = inner_radius_mm(ventricle, zeta, angle_deg)
    beyond = _APEX_WALL * heart.wall_mm / heart.length_mm
    full = (ventricle.radius_mm + heart.wall_mm) * _profile(zeta, beyond) * _shape(heart, angle_deg)
    thinning = 0.0 if heart.scar is None else heart.scar.thinning
    outer: Floats = inner + (full - inner) * (1 - thinning * scar)
    return outer


def _shape(heart: Heart, angle_deg: Floats) -> Floats:
    """The cross-section's radius as a share of a circle's."""
    twice = np.radians(2 * angle_deg)
    shape: Floats = 1 + heart.oval[0] * np.cos(twice) + heart.oval[1] * np.sin(twice)
    return shape


def _profile(zeta: Floats, beyond: float) -> Floats:
    """Radius as a share of the widest: an ellipsoid that ends at zeta = 1 + `beyond`."""
    profile: Floats = np.sqrt(np.clip(1 - ((zeta - _EQUATOR) / (1 - _EQUATOR + beyond)) ** 2, 0, 1))
    return profile
