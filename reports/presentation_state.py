"""Annotations on the scanner's own images: Grayscale Softcopy Presentation State (PS3.3 A.33.1).

One state for every image the report points at, since a state has one Modality LUT for all its images and a
scanner may scale each slice anew. A state replaces the image's own grey values wholly (PS3.4 N.2), so that it
repeats the image's rescale and window.

Two ways of counting meet here. Graphics in PIXEL units begin with 0 at the outer corner of the first pixel
and end at Columns and Rows (C.10.5), like the coordinates of the structured report; the displayed area names
whole pixels, and those begin at 1 (C.10.4).
"""

from typing import Final

import highdicom as hd
import numpy as np
from highdicom import pr
from pydicom.dataset import Dataset

from reports.draft import Draft
from reports.evidence import cited
from reports.peaks import Peak, peaks
from reports.source_pixel import frame_of
from reports.window import display_window
from reports.wording import banner, series_description

SERIES_NUMBER: Final = 905
_AMBER = hd.color.CIELabColor(70.0, 21.0, 74.0)
_RADIUS_MM = 8.0  # about the thickness of the wall
# The text beside the circle, as shares of the image's columns and rows.
_TEXT_WIDTH, _TEXT_HEIGHT = 0.42, 0.08


def build(draft: Draft) -> list[Dataset]:
    """The states, the greatest attention first; none without a map, for then nothing is pointed at."""
    pointed = peaks(draft)
    return [_state(draft, peak, number, len(pointed)) for number, peak in enumerate(pointed, 1)]


def _state(draft: Draft, peak: Peak, number: int, count: int) -> Dataset:
    equipment, image = draft.equipment, _image(draft, peak)
    layer = pr.GraphicLayer(
        layer_name=draft.words.layer, order=1, description=draft.words.shows, display_color=_AMBER
    )
    said = f"{draft.words.here} ({number} of {count})\r\n{banner(draft.model)}"
    state = pr.GrayscaleSoftcopyPresentationState(
        referenced_images=[image],
        series_instance_uid=draft.uid("presentation", "series"),
        series_number=SERIES_NUMBER,
        sop_instance_uid=draft.uid("presentation", "instance", str(number)),
        instance_number=number,
        manufacturer=equipment.manufacturer,
        manufacturer_model_name=equipment.model_name,
        software_versions=equipment.software_version,
        device_serial_number=equipment.serial_number,
        content_label=draft.words.layer,
        content_description=f"{draft.words.title} peak {number} of {count}: {banner(draft.model)}"[:64],
        content_creator_name="",
        graphic_annotations=[_annotation(draft, peak, image, layer, said)],
        graphic_layers=[layer],
        modality_lut_transformation=_rescale(draft, peak),
        voi_lut_transformations=[_window(draft, peak)],
        series_description=series_description(draft.model, f"{draft.words.name} marks"),
        specific_character_set="ISO_IR 192",
    )
    _complete(state, draft, peak)
    return _stamped(draft.seal(state))


def _image(draft: Draft, peak: Peak) -> Dataset:
    """The image as far as highdicom looks at it."""
    plane = peak.pixel.plane
    image = cited(draft, plane)
    image.Rows, image.Columns = draft.context.volume.voxels.shape[2:]
    image.SamplesPerPixel = 1
    return image


def _annotation(
    draft: Draft, peak: Peak, image: Dataset, layer: pr.GraphicLayer, said: str
) -> pr.GraphicAnnotation:
    """A point on the peak, a circle about it, and the words beside the circle."""
    x, y = peak.pixel.centre
    radius = min(_RADIUS_MM / draft.context.volume.geometry.spacing_mm[2], image.Columns / 4)
    rim = x + radius if x + radius <= image.Columns else x - radius
    units = pr.AnnotationUnitsValues.PIXEL
    point = pr.GraphicObject(pr.GraphicTypeValues.POINT, np.array([[x, y]]), units)
    circle = pr.GraphicObject(pr.GraphicTypeValues.CIRCLE, np.array([[x, y], [rim, y]]), units)
    words = pr.TextObject(
        said,
        units,
        bounding_box=_beside(x, y, radius, image),
        anchor_point=(x, y),
        text_justification=pr.TextJustificationValues.LEFT,
        anchor_point_visible=False,
    )
    return pr.GraphicAnnotation(
        referenced_images=[image], graphic_layer=layer, graphic_objects=[point, circle], text_objects=[words]
    )


def _beside(x: float, y: float, radius: float, image: Dataset) -> tuple[float, float, float, float]:
    """Left, top, right, bottom of the text: right of the circle if there is room, else left of it."""
    width, height = _TEXT_WIDTH * image.Columns, _TEXT_HEIGHT * image.Rows
    left = x + radius + 1 if x + radius + 1 + width <= image.Columns else max(0.0, x - radius - 1 - width)
    top = min(max(0.0, y - height / 2), image.Rows - height)
    return left, top, left + width, top + height


def _rescale(draft: Draft, peak: Peak) -> hd.ModalityLUTTransformation:
    frame = frame_of(draft, peak.pixel.plane)
    slope, intercept = (frame.rescale if frame is not None else None) or (1.0, 0.0)
    return hd.ModalityLUTTransformation(rescale_intercept=intercept, rescale_slope=slope, rescale_type="US")


def _window(draft: Draft, peak: Peak) -> pr.SoftcopyVOILUTTransformation:
    window = display_window(draft, peak.pixel.plane, draft.focus.phase, peak.slice)
    return pr.SoftcopyVOILUTTransformation(window_center=window.centre, window_width=window.width)


def _complete(state: Dataset, draft: Draft, peak: Peak) -> None:
    """What highdicom leaves out: frame, size of a pixel, and body part (else Laterality is asked for)."""
    state.BodyPartExamined = "HEART"
    (area,) = state.DisplayedAreaSelectionSequence
    area.PresentationPixelSpacing = [float(mm) for mm in draft.context.volume.geometry.spacing_mm[1:]]
    del area.PresentationPixelAspectRatio
    del area.PixelOriginInterpretation  # speaks of tiled images
    if not peak.pixel.plane.multiframe:
        return
    (series,) = state.ReferencedSeriesSequence
    (annotation,) = state.GraphicAnnotationSequence
    for sequence in (series, annotation):
        sequence.ReferencedImageSequence[0].ReferencedFrameNumber = peak.pixel.plane.frame


def _stamped(state: Dataset) -> Dataset:
    """The stopped clock where this object has it: Content Date and Time are none of its attributes."""
    state.PresentationCreationDate, state.PresentationCreationTime = state.ContentDate, state.ContentTime
    del state.ContentDate, state.ContentTime
    return state
