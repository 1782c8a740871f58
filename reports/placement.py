"""Where a picture of a slice lies in the patient (PS3.3 C.7.6.2, C.7.6.16.2.1 to .4), in millimetres, LPS.

A picture may be enlarged: a source pixel became `factor` x `factor`, so that the centre of the first one
moved towards the corner by (0.5 - 0.5 / factor) source pixels along rows and columns.
"""

from typing import Any

from pydicom.dataset import Dataset
from pydicom.valuerep import DSfloat, format_number_as_ds

from reports.draft import Draft
from reports.stated import slice_thickness


def position(draft: Draft, slice_: int, factor: int = 1) -> list[Any]:
    """Image Position (Patient): the centre of the picture's first pixel."""
    shift = 0.5 / factor - 0.5
    return decimals(*draft.context.volume.geometry.position_mm(slice_, shift, shift))


def orientation(draft: Draft) -> list[Any]:
    """Image Orientation (Patient), the same for every slice."""
    _, down, right = draft.context.volume.geometry.directions
    return decimals(*right, *down)


def spacing(draft: Draft, factor: int = 1) -> list[Any]:
    """Pixel Spacing: between rows, between columns."""
    return decimals(*(distance / factor for distance in draft.context.volume.geometry.spacing_mm[1:]))


def thickness(draft: Draft, slice_: int) -> str:
    """Slice Thickness of the slice's source, or "" where it states none."""
    plane = draft.source_at(draft.focus.phase, slice_)
    return slice_thickness(draft.context.study.header_of(plane.sop_instance_uid))


def in_frame_of_reference(dataset: Dataset, draft: Draft) -> None:
    """Write the Frame of Reference (PS3.3 C.7.4.1) of the source, if it has one."""
    uid = draft.context.volume.frame_of_reference_uid
    if uid:
        dataset.FrameOfReferenceUID = draft.ids.of(uid)
        dataset.PositionReferenceIndicator = ""


def decimals(*numbers: float) -> list[Any]:
    """Numbers as DS values: at most 16 characters, no negative zero."""
    return [DSfloat(format_number_as_ds(round(number, 10) + 0.0)) for number in numbers]
