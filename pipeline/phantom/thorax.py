"""What lies around the heart, at rest: skin, fat, chest wall, lungs, belly, spine and aorta."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.phantom.placement import place_chest
from pipeline.phantom.texture import texture
from pipeline.phantom.ventricle import Ventricle

Field = NDArray[np.floating[Any]]

_CENTRE_Y_MM = 15.0
_HALF_WIDTH_MM = 175.0
_HALF_DEPTH_MM = 112.0
_BAND_MM = (76.0, 92.0)


@dataclass(frozen=True, slots=True, eq=False)
class _Canvas:
    """Points in the patient (x left, y back, z up) and around the heart (right, down, apex); mm."""

    x: Field
    y: Field
    z: Field
    right: Field
    down: Field
    apex: Field
    grain: Field
    edge_mm: float

    def inside(self, distance_mm: Field) -> Field:
        """0 to 1 across the border that `distance_mm` is measured from, positive inside."""
        share: Field = np.clip(distance_mm / np.float32(self.edge_mm) + np.float32(0.5), 0, 1)
        return share


def thorax(ventricle: Ventricle, local_mm: Field, edge_mm: float) -> Field:
    """Signal of the chest without the heart at points (..., (right, down, apex)) mm of the heart's frame."""
    x, y, z = np.moveaxis(place_chest(ventricle.heart).to_patient(local_mm), -1, 0).astype(np.float32)
    right, down, apex = np.moveaxis(local_mm, -1, 0).astype(np.float32)
    canvas = _Canvas(x, y, z, right, down, apex, texture(local_mm), edge_mm)
    heart = ventricle.heart
    wide, deep = _HALF_WIDTH_MM * heart.body_scale, _HALF_DEPTH_MM * heart.body_scale
    depth = (1 - np.sqrt((canvas.x / wide) ** 2 + ((canvas.y - _CENTRE_Y_MM) / deep) ** 2)) * deep
    within = depth - heart.body_fat_mm
    image = _chest(ventricle, canvas, depth, within)
    image = _belly(ventricle, canvas, image, canvas.inside(within - 13))
    return _band(ventricle, canvas, _back(ventricle, canvas, image))


def _chest(ventricle: Ventricle, canvas: _Canvas, depth: Field, within: Field) -> Field:
    """The wall from the skin inwards, and the lungs with their vessels."""
    signals, grain = ventricle.heart.signals, canvas.grain
    ribs = 0.9 + 0.15 * np.sin((canvas.z + 0.5 * canvas.y) * np.float32(2 * np.pi / 27)) + 0.15 * grain
    vessels = np.clip(grain - 1.9, 0, 1.5) * (0.5 * signals.blood)
    image: Field = signals.fat * (0.95 + 0.015 * grain) * canvas.inside(depth)
    image = _over(image, signals.muscle * ribs, canvas.inside(within))
    return _over(image, signals.lung * (1 + 0.2 * grain) + vessels, canvas.inside(within - 13))


def _belly(ventricle: Ventricle, canvas: _Canvas, image: Field, within: Field) -> Field:
    """The diaphragm's dome under the heart: liver to its right, stomach and spleen to its left."""
    signals, grain = ventricle.heart.signals, canvas.grain
    right, down, apex = canvas.right, canvas.down, canvas.apex
    equator = ventricle.radius_mm + ventricle.heart.wall_mm
    dome = equator + 2 + (right + 8) ** 2 / 230 - 0.10 * (apex - 45)
    within = within * canvas.inside(down - dome)
    image = _over(image, signals.fat * (0.8 + 0.07 * grain), within)
    liver = np.minimum(down - dome - 3, 4 + 0.35 * (down - dome) - right)
    image = _over(image, signals.liver * (1 + 0.08 * grain), within * canvas.inside(liver))
    stomach = 30 - np.sqrt((right - 34) ** 2 + (down - equator - 46) ** 2 + 0.3 * (apex - 70) ** 2)
    image = _over(image, np.full_like(image, signals.muscle), within * canvas.inside(stomach + 4))
    image = _over(image, signals.liver * (0.9 + 0.35 * grain), within * canvas.inside(stomach))
    spleen = 24 - np.sqrt((right - 84) ** 2 + 0.5 * (down - equator - 62) ** 2 + 0.2 * (apex - 60) ** 2)
    return _over(image, signals.liver * (1.3 + 0.06 * grain), within * canvas.inside(spleen))


def _back(ventricle: Ventricle, canvas: _Canvas, image: Field) -> Field:
    """The spine with its canal, the muscles beside it and the descending aorta before it."""
    signals, grain = ventricle.heart.signals, canvas.grain
    x, y, z = canvas.x, canvas.y, canvas.z
    muscles = 34 - np.sqrt(((np.abs(x) - 32) * 0.8) ** 2 + (y - 98) ** 2)
    image = _over(image, signals.muscle * (1 + 0.12 * grain), canvas.inside(muscles))
    body = 21 - np.sqrt(x**2 + ((y - 68) * 1.15) ** 2)
    disc = 0.8 + 0.3 * np.clip(np.sin(z * np.float32(2 * np.pi / 32)) * 3, -1, 1) + 0.08 * grain
    image = _over(image, signals.liver * disc, canvas.inside(body))
    canal = 9 - np.sqrt(x**2 + (y - 96) ** 2)
    image = _over(image, np.full_like(image, signals.fat * 0.9), canvas.inside(canal))
    image = _over(image, np.full_like(image, signals.muscle), canvas.inside(canal - 4))
    aorta = 12 - np.sqrt((x - 24) ** 2 + (y - 52) ** 2)
    image = _over(image, np.full_like(image, signals.fat * 0.6), canvas.inside(aorta + 5))
    image = _over(image, np.full_like(image, signals.muscle * 0.8), canvas.inside(aorta + 2))
    return _over(image, signals.blood * (1 + 0.03 * grain), canvas.inside(aorta))


def _band(ventricle: Ventricle, canvas: _Canvas, image: Field) -> Field:
    """Fat that only some hearts of a cohort have, and none in a crop of 64 mm about the heart."""
    heart = ventricle.heart
    if not heart.variant.band:
        return image
    near, far = _BAND_MM
    within = np.minimum(canvas.right - near, far - canvas.right)
    return _over(image, heart.signals.fat * (0.95 + 0.015 * canvas.grain), canvas.inside(within))


def _over(image: Field, signal: Field, share: Field) -> Field:
    painted: Field = image + (signal - image) * share
    return painted
