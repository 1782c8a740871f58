"""The places a report can point at: where, in each telling slice, the attention is greatest."""

from dataclasses import dataclass

import numpy as np

from reports.draft import Draft
from reports.focus import telling_slices
from reports.overlay import SHOWN_FROM
from reports.source_pixel import SourcePixel, source_pixel


@dataclass(frozen=True, slots=True)
class Peak:
    """The greatest attention of one slice at the phase of the focus; `slice` counts from 0."""

    slice: int
    attention: float
    pixel: SourcePixel


def peaks(draft: Draft) -> tuple[Peak, ...]:
    """The peaks of the telling slices, the greatest first; none without a map.

    A slice whose attention is too weak to be drawn is not pointed at either.
    """
    found = (_peak(draft, slice_) for slice_ in telling_slices(draft.context, draft.focus))
    shown = (peak for peak in found if peak.attention >= SHOWN_FROM or peak.slice == draft.focus.slice)
    return tuple(sorted(shown, key=lambda peak: (-peak.attention, peak.slice)))


def _peak(draft: Draft, slice_: int) -> Peak:
    attention, phase = draft.context.prediction.attention, draft.focus.phase
    assert attention is not None  # no map has no telling slices
    plane = attention[phase, slice_]
    row, column = (int(index) for index in np.unravel_index(plane.argmax(), plane.shape))
    return Peak(slice_, float(plane[row, column]), source_pixel(draft, phase, slice_, row, column))
