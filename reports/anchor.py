"""The image and the point on it that a report's arrow ends at."""

from collections.abc import Sequence

import numpy as np
from highdicom import sr
from pydicom.dataset import Dataset

from reports.draft import Draft
from reports.source_pixel import source_pixel


def anchor(draft: Draft, explaining: Sequence[Dataset]) -> sr.CoordinatesForMeasurement:
    """The focus on its source frame; on its overlay if the source images share no frame of reference.

    De-identification can leave every image a Frame of Reference UID of its own. OHIF then never finds the one
    it has to show: it goes back and forth between two kinds of viewport and the page hangs
    (docs/adr/0010). All overlays are in one frame of reference.
    """
    overlay = next((made for made in explaining if made.get("SamplesPerPixel") == 3), None)
    if overlay is not None and not _one_frame_of_reference(draft):
        return _on_overlay(draft, overlay)
    focus = draft.focus
    pixel = source_pixel(draft, focus.phase, focus.slice, focus.row, focus.column)
    plane = pixel.plane
    image = sr.SourceImageForRegion(
        plane.sop_class_uid,
        draft.ids.of(plane.sop_instance_uid),
        referenced_frame_numbers=[plane.frame] if plane.multiframe else None,
    )
    return _point(image, *pixel.centre)


def _on_overlay(draft: Draft, overlay: Dataset) -> sr.CoordinatesForMeasurement:
    """An overlay is the volume's plane enlarged by a whole factor; see `reports.overlay`."""
    factor = overlay.Rows // draft.context.volume.voxels.shape[2]
    frame = overlay.get("RepresentativeFrameNumber")
    image = sr.SourceImageForRegion(
        overlay.SOPClassUID,
        overlay.SOPInstanceUID,
        referenced_frame_numbers=None if frame is None else [int(frame)],
    )
    return _point(image, factor * (draft.focus.column + 0.5), factor * (draft.focus.row + 0.5))


def _point(image: sr.SourceImageForRegion, column: float, row: float) -> sr.CoordinatesForMeasurement:
    """The centre of the first pixel is at (0.5, 0.5) (PS3.3 C.18.6)."""
    return sr.CoordinatesForMeasurement(
        graphic_type=sr.GraphicTypeValues.POINT,
        graphic_data=np.array([[column, row]]),
        source_image=image,
    )


def _one_frame_of_reference(draft: Draft) -> bool:
    study = draft.context.study
    facts = (study.instance_of(plane.sop_instance_uid).facts for plane, _ in draft.instances())
    return len({one.frame_of_reference_uid for one in facts}) == 1
