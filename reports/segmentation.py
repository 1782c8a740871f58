"""Where the attention is strong, as a Segmentation (PS3.3 A.51): a place to look, not an outline of scar."""

from typing import Final

from highdicom import AlgorithmIdentificationSequence
from highdicom.color import CIELabColor
from highdicom.seg import Segmentation, SegmentDescription
from pydicom.dataset import Dataset

from models import Method
from reports import codes
from reports.draft import Draft
from reports.equipment import coded
from reports.map_stack import completed, identity, peak_over_time, saliency, stack
from reports.wording import banner, series_description

SHARE: Final = 0.5
"""Of the map's maximum, what a pixel of the region has at least."""
_PURPOSE: Final = "segmentation"
_SERIES_NUMBER: Final = 904
_ORANGE: Final = (230, 159, 0)  # near the colour of strong attention in the overlays


def build(draft: Draft) -> Dataset | None:
    """The region where the attention reaches `SHARE` of its maximum at any phase; None without a map.

    Every slice has a frame, so that the region lies on the grid of the source and of the parametric map.
    """
    peak, model = peak_over_time(draft), draft.context.prediction.model
    if peak is None:
        return None
    image = Segmentation(
        source_images=stack(draft),
        pixel_array=peak >= SHARE * peak.max(),
        segmentation_type="BINARY",
        segment_descriptions=[_segment(draft)],
        omit_empty_frames=False,
        content_label="SALIENT_REGION",
        content_description=f"Salient region: {banner(model)}",
        content_creator_name="",
        series_description=series_description(model, "salient region"),
        **identity(draft, _PURPOSE, _SERIES_NUMBER),
    )
    what = (
        f"Where the {draft.words.name} of {model.name} {model.version} to the source images is at least "
        f"{SHARE:g} of its maximum"
    )
    return completed(draft, image, _PURPOSE, what)


def _label(draft: Draft) -> str:
    attention = draft.context.prediction.explained_by is Method.ATTENTION
    return f"Salient region {'of the network' if attention else f'by {draft.words.name}'}, not a scar outline"


def _segment(draft: Draft) -> SegmentDescription:
    model, label = draft.context.prediction.model, _label(draft)
    segment = SegmentDescription(
        segment_number=1,
        segment_label=label,
        segmented_property_category=codes.SPATIAL_CONCEPT,
        segmented_property_type=codes.REGION_OF_INTEREST,
        algorithm_type="AUTOMATIC",
        algorithm_identification=AlgorithmIdentificationSequence(
            name=model.name,
            family=codes.ARTIFICIAL_INTELLIGENCE,
            version=model.version,
            parameters={"weights sha256": model.weights_sha256, "share of the maximum": f"{SHARE:g}"},
        ),
        anatomic_regions=[codes.HEART],
        display_color=CIELabColor.from_rgb(*_ORANGE),
    )
    segment.SegmentDescription = f"{label}. {banner(model)}."
    segment.SegmentedPropertyTypeCodeSequence[0].SegmentedPropertyTypeModifierCodeSequence = [
        coded(saliency(draft))
    ]
    return segment
