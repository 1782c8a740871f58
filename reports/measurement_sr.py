"""The structured report: TID 1500 in a Comprehensive 3D SR (PS3.3 A.35.13, PS3.16; IHE AIR)."""

from collections.abc import Sequence
from typing import Final

import highdicom as hd
from highdicom import sr
from pydicom.dataset import Dataset
from pydicom.uid import Comprehensive3DSRStorage

from reports import codes
from reports.draft import Draft
from reports.evidence import made_instances, predecessors, rendering, replaced, source_instances
from reports.image_library import image_library
from reports.qualitative import qualitative_evaluations
from reports.scar_group import scar_group
from reports.segment_items import segment_measurements
from reports.sr_document import Place, observer, separate, structured_report

_PLACE: Final = Place("sr", 901, "scar")


def build(
    draft: Draft, page: Dataset, explaining: Sequence[Dataset], beside: Sequence[Dataset] = ()
) -> Dataset:
    """The report on one prediction.

    Args:
        draft: what is reported.
        page: the summary page, a rendering of the report for viewers that show no SR.
        explaining: the overlay of the peak's slice and, where it is written, the map; none without a map.
        beside: the other objects of this result; whoever opens the report finds them in its evidence.
    """
    evidence = [*source_instances(draft), *made_instances(page, *explaining, *beside)]
    before = predecessors(draft, replaced(draft.context, Comprehensive3DSRStorage))
    root, library = _content(draft, explaining), image_library(draft)
    document = structured_report(draft, root, evidence, _PLACE, before, library)
    document.ReferencedInstanceSequence = [rendering(page)]
    return draft.seal(document)


def _content(draft: Draft, explaining: Sequence[Dataset]) -> Dataset:
    report = sr.MeasurementReport(
        observation_context=sr.ObservationContext(observer_device_context=observer(draft)),
        procedure_reported=codes.CARDIAC_MRI,
        imaging_measurements=[scar_group(draft, explaining)],
        title=codes.MEASUREMENT_REPORT,
    )
    root: Dataset = report[0]
    # In the order of reading: who and what, the findings in words, the measurements; the images come last.
    opening = [item for item in root.ContentSequence if item.ValueType != "CONTAINER"]
    measured = [item for item in root.ContentSequence if item.ValueType == "CONTAINER"]
    items = [*opening, qualitative_evaluations(draft), *measured, *segment_measurements(draft)]
    root.ContentSequence = hd.sr.ContentSequence(items)
    separate(root)
    return root
