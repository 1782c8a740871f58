"""Phantoms with scar, as a network sees them: what its maps are held against."""

from typing import Final

import numpy as np

from models.explanation.aliveness import Lesions
from pipeline.centre import heart_centre
from pipeline.phantom import Scan, draw_heart, render
from pipeline.prepare import prepare, to_grid
from pipeline.preprocessing import Preprocessing

FIRST_SEED: Final = 30_101
"""None that networks are trained with, or that go into bundles as golden studies."""
_FIELD_MM: Final = 256.0


def draw_lesions(recipe: Preprocessing, count: int) -> Lesions:
    """`count` scarred hearts, in a stack that is as fine as the recipe's grid: finer shows it nothing."""
    side = round(_FIELD_MM / max(recipe.spacing_mm, 1.0))
    slices = max(recipe.slices, recipe.min_slices)
    scan = Scan(slices, recipe.phases, (side, side), _FIELD_MM / side, 100 / slices, 80 / slices)
    cines, masks = [], []
    for seed in range(FIRST_SEED, FIRST_SEED + count):
        phantom = render(draw_heart(seed, scar=True), scan)
        centre = heart_centre(phantom.volume, margin_mm=recipe.pixels * recipe.spacing_mm / 2)
        prepared = prepare(phantom.volume, recipe, centre)
        cines.append(prepared.array)
        masks.append(to_grid(phantom.truth.scar.astype(np.float32), prepared, phantom.volume))
    return Lesions(np.stack(cines), np.stack(masks))
