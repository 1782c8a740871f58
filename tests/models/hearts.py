"""Labelled volumes made up in a moment: a beating disc, of which a part stands still where the answer is yes."""

import numpy as np
from numpy.typing import NDArray

from models.examples import Examples
from pipeline.preprocessing import Preprocessing

RECIPE = Preprocessing(spacing_mm=4.0, pixels=16, phases=6, slices=4, min_slices=3)


def hearts(count: int = 12, *, recipe: Preprocessing = RECIPE, seed: int = 0) -> Examples:
    """Two studies per patient, every second patient positive; groups "sex" and, telling of the answer, "site"."""
    rng = np.random.default_rng(seed)
    label = np.arange(count) // 2 % 2 == 1
    cine = np.stack([_beating(answer, recipe, rng) for answer in label])
    return Examples(
        cine=cine,
        label=label,
        label_name="Scar",
        patients=tuple(f"patient-{index // 2}" for index in range(count)),
        studies=tuple(f"1.2.{index + 1}" for index in range(count)),
        recipe=recipe,
        groups={
            "sex": tuple("F" if index % 3 else "M" for index in range(count)),
            "site": tuple("A" if index % 4 else "B" for index in range(count)),
        },
        simulated=True,
    )


def _beating(still: bool, recipe: Preprocessing, rng: np.random.Generator) -> NDArray[np.float32]:
    row, column = np.mgrid[: recipe.pixels, : recipe.pixels] - (recipe.pixels - 1) / 2
    beat = np.sin(np.pi * np.arange(recipe.phases) / recipe.phases)[:, None, None]
    shortened = np.where(still & (column > 0), 0.0, beat)
    disc = 1 / (1 + np.exp(np.hypot(row, column) - recipe.pixels / 3 + 3 * shortened))
    noisy = disc[:, None] + rng.normal(0, 0.05, (recipe.phases, recipe.slices, recipe.pixels, recipe.pixels))
    return np.clip(noisy, 0, 1).astype(np.float32)
