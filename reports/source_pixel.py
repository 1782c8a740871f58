"""From the volume back to the image a plane was read from, where slices may be stored the other way round."""

from dataclasses import dataclass

import numpy as np

from pipeline import FrameFacts, PlaneSource
from reports.draft import Draft


@dataclass(frozen=True, slots=True)
class SourcePixel:
    """One pixel of one source frame, row and column from 0 as that frame stores them.

    `centre` is (column, row) where the first pixel's centre is (0.5, 0.5): what both SCOORD (PS3.3 C.18.6)
    and the PIXEL units of annotations (PS3.3 C.10.5) count in.
    """

    plane: PlaneSource
    row: int
    column: int

    @property
    def centre(self) -> tuple[float, float]:
        return self.column + 0.5, self.row + 0.5


def source_pixel(draft: Draft, phase: int, slice_: int, row: int, column: int) -> SourcePixel:
    """Where a voxel (indices from 0) was read.

    The rows and columns of an assembled volume run the same way in all slices; those of a file may not.
    """
    plane = draft.source_at(phase, slice_)
    rows, columns = draft.context.volume.voxels.shape[2:]
    _, down, right = draft.context.volume.geometry.directions
    frame = frame_of(draft, plane)
    if frame is not None and np.dot(frame.orientation[3:], down) < 0:
        row = rows - 1 - row
    if frame is not None and np.dot(frame.orientation[:3], right) < 0:
        column = columns - 1 - column
    return SourcePixel(plane, row, column)


def frame_of(draft: Draft, plane: PlaneSource) -> FrameFacts | None:
    """What the file says of a frame; None if it does not place it."""
    facts = draft.context.study.instance_of(plane.sop_instance_uid).facts
    return next((frame for frame in facts.frames if frame.number == plane.frame), None)
