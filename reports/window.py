"""How an image should be shown: in the grey window it states itself, or one that fits its content."""

from pipeline import PlaneSource
from reports.draft import Draft
from reports.overlay import window_of
from reports.stated import Window, window


def display_window(draft: Draft, plane: PlaneSource, phase: int, slice_: int) -> Window:
    """The first window the frame states; without a valid one, that of our own pictures."""
    stated = window(draft.context.study.header_of(plane.sop_instance_uid), plane)
    if stated is not None:
        return stated
    low, high = window_of(draft.context.volume.voxels[phase, slice_])
    return Window((low + high) / 2, max(high - low, 1.0))
