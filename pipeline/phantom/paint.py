"""Turns shares of tissue into signal."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.phantom.heart import Heart

Pixels = NDArray[np.float32]

_INDIA_INK = 0.35
_RIGHT_BLOOD = 0.93


@dataclass(frozen=True, slots=True, eq=False)
class Shares:
    """How much of every voxel lies inside each surface (0..1), float32 of one shape.

    `muscle` lies within the left cavity (papillary muscles), `scar` within the left wall; `root` and
    `root_wall` are the aorta above the valve.
    """

    endo: Pixels
    epi: Pixels
    rv: Pixels
    rv_wall: Pixels
    line: Pixels
    fat: Pixels
    scar: Pixels
    muscle: Pixels
    root: Pixels
    root_wall: Pixels


def painted(heart: Heart, background: Pixels, shares: Shares) -> Pixels:
    """The signal of the heart over `background` (broadcast to the shares), from the outside in."""
    signals = heart.signals
    wall, blood, fat = signals.myocardium, signals.blood, signals.fat
    ink = wall * _INDIA_INK
    image = background + shares.fat * (np.float32(fat) - background)
    image += shares.line * np.float32(ink - fat)
    image += shares.rv_wall * np.float32(wall - ink)
    image += shares.rv * np.float32(blood * _RIGHT_BLOOD - wall)
    image += shares.epi * np.float32(wall - blood * _RIGHT_BLOOD)
    image += shares.endo * np.float32(blood - wall)
    image += shares.muscle * np.float32(wall - blood)
    image += shares.root_wall * (np.float32(wall * 0.8) - image)
    image += shares.root * (np.float32(blood) - image)
    if heart.scar is not None:
        image += shares.scar * np.float32(heart.scar.brightening * wall)
    result: Pixels = image
    return result
