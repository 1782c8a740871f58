"""The prepared studies that go into a bundle, so that it can be asked later what it once answered."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.examples import Examples
from models.training.plan import TrainingPlan
from models.training.splits import Split
from pipeline.centre import heart_centre
from pipeline.phantom import Scan, draw_heart, render
from pipeline.prepare import prepare
from pipeline.preprocessing import Preprocessing

STUDIES: Final = 2
_FIRST_SEED: Final = 30_000  # far from those that phantoms for training are drawn by


def golden_cines(plan: TrainingPlan, examples: Examples, split: Split) -> NDArray[np.float16] | None:
    """(study, phase, slice, row, column), as the plan wants them; None if it wants none.

    Those of the validation part are patients' images: nobody's name, but somebody's heart.
    """
    if plan.golden == "none":
        return None
    if plan.golden == "validation":
        held = split.validation[:STUDIES]
        return np.stack([np.asarray(examples.cine[int(index)], np.float16) for index in held])
    return np.stack([_phantom(seed, examples.recipe) for seed in range(_FIRST_SEED, _FIRST_SEED + STUDIES)])


def _phantom(seed: int, recipe: Preprocessing) -> NDArray[np.float16]:
    """A simulated heart as the node would prepare it; every second one has a scar."""
    scan = Scan(slices=max(recipe.slices, recipe.min_slices))
    volume = render(draw_heart(seed, scar=seed % 2 == 1), scan).volume
    centre = heart_centre(volume, margin_mm=recipe.pixels * recipe.spacing_mm / 2)
    return prepare(volume, recipe, centre).array.astype(np.float16)
