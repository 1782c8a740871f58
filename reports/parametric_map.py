"""The attention map as numbers: a Parametric Map (PS3.3 A.75), for research and 3D Slicer."""

from typing import Final

import numpy as np
from highdicom import VOILUTTransformation
from highdicom.pm import ParametricMap, RealWorldValueMapping
from pydicom.dataset import Dataset

from reports import codes
from reports.draft import Draft
from reports.equipment import coded
from reports.map_stack import completed, identity, peak_over_time, saliency, stack
from reports.wording import banner, series_description

_PURPOSE: Final = "parametric map"
_SERIES_NUMBER: Final = 903


def build(draft: Draft) -> Dataset | None:
    """The map's maximum over time, float32 on the grid of the source; None without a map.

    Readers of this class know three dimensions: one frame per slice, where the cine has one per phase. The
    maximum loses when the network looked, never where.
    """
    peak, model = peak_over_time(draft), draft.context.prediction.model
    if peak is None:
        return None
    image = ParametricMap(
        source_images=stack(draft),
        pixel_array=peak,
        contains_recognizable_visual_features=False,
        real_world_value_mappings=[_meaning(draft)],
        voi_lut_transformations=[VOILUTTransformation(window_center=0.5, window_width=1.0)],
        content_label="SALIENCY",
        content_description=f"Peak {draft.words.name}: {banner(model)}",  # 64 characters at most
        series_description=series_description(model, f"{draft.words.name} map"),
        **identity(draft, _PURPOSE, _SERIES_NUMBER),
    )
    _order_along_normal(image)
    image.ContentCreatorName = ""  # type 2, and highdicom leaves it out
    # dcmqi, and with it 3D Slicer, crashes where the anatomy is not stated
    image.SharedFunctionalGroupsSequence[0].FrameAnatomySequence = [_heart()]
    what = f"Maximum over time of the {draft.words.name} of {model.name} {model.version} to the source images"
    return completed(draft, image, _PURPOSE, what)


def _order_along_normal(image: ParametricMap) -> None:
    """Store the frames along the normal of rows and columns: dcmqi takes that for granted.

    highdicom stores them against it, which dcmqi reads as a map upside down.
    """
    frames = list(image.PerFrameFunctionalGroupsSequence)
    cosines = np.array(
        image.SharedFunctionalGroupsSequence[0].PlaneOrientationSequence[0].ImageOrientationPatient
    )
    places = np.array([frame.PlanePositionSequence[0].ImagePositionPatient for frame in frames])
    order = np.argsort(places @ np.cross(cosines[:3], cosines[3:]))
    for number, old in enumerate(order, start=1):
        frames[old].FrameContentSequence[0].DimensionIndexValues = [number]
    image.PerFrameFunctionalGroupsSequence = [frames[old] for old in order]
    planes = np.frombuffer(image.FloatPixelData, np.float32).reshape(len(frames), -1)
    image.FloatPixelData = planes[order].tobytes()


def _meaning(draft: Draft) -> RealWorldValueMapping:
    return RealWorldValueMapping(
        lut_label="Saliency",
        lut_explanation=f"{draft.words.title} of the network, 0 to 1, maximum over time",
        unit=codes.NO_UNITS,
        value_range=(0.0, 1.0),  # integers here would mean integer pixels
        slope=1.0,
        intercept=0.0,
        quantity_definition=saliency(draft),
    )


def _heart() -> Dataset:
    """Frame Anatomy (PS3.3 C.7.6.16.2.8)."""
    item = Dataset()
    item.FrameLaterality = "U"
    item.AnatomicRegionSequence = [coded(codes.HEART)]
    return item
