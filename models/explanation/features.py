"""Where Grad-CAM looks in a network, and how what it sees there lies in the cine. Loads no framework."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.attention import linear_weights

Array = NDArray[np.float32]
CINE_AXES: Final = ("phase", "slice", "row", "column")
IMAGE: Final = "image"
"""All images of a study along one axis: slice after slice, each with its phases."""


@dataclass(frozen=True, slots=True)
class Axis:
    """An axis of feature maps: one of `CINE_AXES`, or `IMAGE`.

    Cell i lies about the middle of the `step` places of the cine that begin with `start` + i * `step`.
    """

    name: str
    step: int = 1
    start: int = 0


@dataclass(frozen=True, slots=True)
class Features:
    """The feature maps that Grad-CAM weighs.

    Attributes:
        layer: whose output they are; everything behind it hangs on it alone.
        axes: of the feature maps of one study, without the channels.
        score: the layer whose sigmoid is the probability; where it answers slice by slice, the score is the
            mean of its logits.
    """

    layer: str
    axes: tuple[Axis, ...]
    score: str = "scar"

    @property
    def remark(self) -> str:
        """What of the cine's axes the features have lost, in words; empty if nothing."""
        names = [axis.name for axis in self.axes]
        if IMAGE in names:
            return "This network takes all images for one stack, so that neighbouring phases and slices blur."
        lost = [f"{name}s" for name in CINE_AXES if name not in names]
        if not lost:
            return ""
        return f"This network keeps no {' and no '.join(lost)} apart: the map is the same in all of them."


def in_space(start: int = 0, step: int = 16) -> tuple[Axis, Axis]:
    """Rows and columns, `step` times coarser than the cine's."""
    return Axis("row", step, start), Axis("column", step, start)


def on_cine(cells: Array, features: Features, grid: Sequence[int]) -> Array:
    """`cells` (one axis per axis of `features`) as (phase, slice, row, column) of size `grid`.

    Linear between the middles of cells, edges held; an axis that is gone is repeated over.
    """
    size = dict(zip(CINE_AXES, grid, strict=True))
    size[IMAGE] = size["slice"] * size["phase"]
    for place, axis in enumerate(features.axes):
        middles = (np.arange(size[axis.name]) + 0.5 - axis.start) / axis.step - 0.5
        weights = linear_weights(middles, cells.shape[place])
        cells = np.moveaxis(np.tensordot(weights, cells, (1, place)), 0, place)
    names = [axis.name for axis in features.axes]
    if IMAGE in names:
        place = names.index(IMAGE)
        shape = (*cells.shape[:place], size["slice"], size["phase"], *cells.shape[place + 1 :])
        cells, names[place : place + 1] = cells.reshape(shape), ["slice", "phase"]
    cells = cells.transpose([names.index(name) for name in CINE_AXES if name in names])
    kept = np.expand_dims(cells, tuple(place for place, name in enumerate(CINE_AXES) if name not in names))
    return np.ascontiguousarray(np.broadcast_to(kept, tuple(grid)), np.float32)
