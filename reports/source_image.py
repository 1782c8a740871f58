"""References from a picture to the frames it was made of (PS3.3 C.7.6.16.2.6, C.12.2)."""

from pydicom.dataset import Dataset

from pipeline import PlaneSource
from reports import codes
from reports.draft import Draft
from reports.equipment import coded
from reports.paper import Paper


def source_image(paper: Paper, plane: PlaneSource) -> Dataset:
    """An item of Source Image Sequence: one instance, or one frame of it if it has several."""
    item = _reference(paper, plane)
    if plane.multiframe:
        item.ReferencedFrameNumber = plane.frame
    item.PurposeOfReferenceCodeSequence = [coded(codes.SOURCE_IMAGE)]
    return item


def slice_sources(draft: Draft, slice_: int) -> list[Dataset]:
    """Everything one slice was read from, every frame once, in the order of the phases.

    An item per frame: highdicom cannot read images whose items name several.
    """
    planes = dict.fromkeys(phase[slice_] for phase in draft.context.volume.sources)
    return [source_image(draft, plane) for plane in planes]


def referenced_series(draft: Draft) -> list[Dataset]:
    """Referenced Series Sequence: every source instance of the result, by series."""
    series: dict[str, list[Dataset]] = {}
    for plane, _ in draft.instances():
        series.setdefault(plane.series_instance_uid, []).append(_reference(draft, plane))
    return [_series(draft, uid, references) for uid, references in series.items()]


def lossy(draft: Draft) -> str:
    """Lossy Image Compression of what is made of these sources: once "01", always (PS3.3 C.7.6.1.1.5)."""
    compressed = {facts.sop_instance_uid for facts in draft.context.study.facts if facts.lossy}
    ever = any(plane.sop_instance_uid in compressed for plane, _ in draft.instances())
    return "01" if ever else "00"


def _series(draft: Draft, uid: str, references: list[Dataset]) -> Dataset:
    item = Dataset()
    item.SeriesInstanceUID = draft.ids.of(uid)
    item.ReferencedInstanceSequence = references
    return item


def _reference(paper: Paper, plane: PlaneSource) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID = plane.sop_class_uid
    item.ReferencedSOPInstanceUID = paper.ids.of(plane.sop_instance_uid)
    return item
