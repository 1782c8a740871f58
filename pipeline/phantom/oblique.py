"""Draws the same heart into planes of any direction: long-axis views and localizers."""

from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.phantom.discs import aortic_root, papillary, share
from pipeline.phantom.paint import Shares, painted
from pipeline.phantom.signal import receive, sensitivity
from pipeline.phantom.surfaces import Layers, layers
from pipeline.phantom.thorax import thorax
from pipeline.phantom.ventricle import Ventricle

Floats = NDArray[np.floating[Any]]
Pixels = NDArray[np.float32]

_SURFACES = tuple(field.name for field in fields(Layers) if field.name != "scar")


def look(
    ventricle: Ventricle, local_mm: Floats, contraction: Floats, edge_mm: float, rng: np.random.Generator
) -> Pixels:
    """Signal (phase, row, column) of the plane through `local_mm` (row, column, (right, down, apex)) mm.

    Rounded like the short-axis volume, with 2.5 % noise; infinitely thin, since these views are not analysed.
    """
    still = thorax(ventricle, local_mm, edge_mm).astype(np.float32)
    gain = sensitivity(ventricle.heart, local_mm)
    image = np.stack(
        [
            painted(ventricle.heart, still, _shares(ventricle, local_mm, np.asarray(moment), edge_mm))
            for moment in contraction
        ]
    )
    return receive(image * gain, 0.025 * ventricle.heart.signals.blood, rng)


def _shares(ventricle: Ventricle, local_mm: Floats, contraction: Floats, edge_mm: float) -> Shares:
    heart = ventricle.heart
    depth = local_mm[..., 2]
    descent = heart.length_mm * heart.shortening * contraction
    zeta = (depth - descent) / (heart.length_mm - descent)
    lean = depth - heart.length_mm / 2
    right = local_mm[..., 0] - heart.drift[0] * lean - heart.sway_mm[0] * contraction
    down = local_mm[..., 1] - heart.drift[1] * lean - heart.sway_mm[1] * contraction
    radius = np.hypot(right, down).astype(np.float32)
    angle = (np.degrees(np.arctan2(-down, right)) - heart.rotation_deg).astype(np.float32)
    walls = layers(ventricle, zeta, angle, contraction)
    inside = {name: np.clip((getattr(walls, name) - radius) / edge_mm + 0.5, 0, 1) for name in _SURFACES}
    cavity = inside["endo"] * (zeta >= 0)
    scar = (inside["epi"] - inside["endo"]) * walls.scar
    muscle = share(papillary(ventricle, zeta, contraction), radius, angle, edge_mm) * cavity
    root = share([aortic_root(ventricle, zeta, 0.0)], radius, angle, edge_mm)
    root_wall = share([aortic_root(ventricle, zeta, 2.0)], radius, angle, edge_mm)
    return Shares(**inside, scar=scar, muscle=muscle, root=root, root_wall=root_wall)
