"""Where the model looked hardest: the point, the phase and the slices worth showing."""

from dataclasses import dataclass

import numpy as np

from pipeline.centre import heart_centre
from reports.context import ReportContext
from reports.errors import ReportError


@dataclass(frozen=True, slots=True)
class Focus:
    """One voxel, indices from 0. `located` is False if the model gave no map and this is only a place."""

    phase: int
    slice: int
    row: int
    column: int
    located: bool


def focus_of(context: ReportContext) -> Focus:
    """The attention's peak; without a map, the heart's centre in the middle slice at the first phase.

    Raises:
        ReportError: the map does not lie on the volume's grid, or holds values outside 0..1.
    """
    shape = context.volume.voxels.shape
    attention = context.prediction.attention
    if attention is not None and attention.shape != shape:
        raise ReportError(f"the attention map is {attention.shape}, the volume {shape}: they must be equal")
    if attention is None:
        return _centre(context)
    # phase by phase: of an array that is read only, argmax makes a copy
    most = attention.max(axis=(1, 2, 3))
    phase = int(most.argmax())  # that of a NaN, if there is one
    lowest, highest = float(attention.min()), float(most[phase])
    if not (lowest >= 0.0 and highest <= 1.0):
        raise ReportError("the attention map holds values outside 0..1")
    if highest == 0.0:
        return _centre(context)
    slice_, row, column = (int(n) for n in np.unravel_index(attention[phase].argmax(), shape[1:]))
    return Focus(phase, slice_, row, column, located=True)


def _centre(context: ReportContext) -> Focus:
    """The heart's centre in the middle slice at the first phase."""
    _, slices, rows, columns = context.volume.voxels.shape
    centre = context.prediction.centre or heart_centre(context.volume, context.study)
    row, column = min(round(centre.row), rows - 1), min(round(centre.column), columns - 1)
    return Focus(0, slices // 2, max(row, 0), max(column, 0), located=False)


def telling_slices(context: ReportContext, focus: Focus, most: int = 3) -> tuple[int, ...]:
    """The slices with the most attention at the phase of the peak, base to apex; the peak's own is one."""
    attention = context.prediction.attention
    if attention is None or not focus.located:
        return ()
    weight = attention[focus.phase].sum(axis=(1, 2))
    others = sorted((k for k in range(len(weight)) if k != focus.slice), key=lambda k: -float(weight[k]))
    return tuple(sorted([focus.slice, *others[: most - 1]]))
