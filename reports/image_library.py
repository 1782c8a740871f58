"""The images a report rests on (TID 1600), with what they share said once.

Built of plain datasets: highdicom's library repeats every descriptor for every image, thousands of items for
a cine, and its content items cost more time than all pictures of a result.
"""

from collections.abc import Sequence
from typing import Final

from pydicom.dataset import Dataset
from pydicom.sr.coding import Code

from pipeline import PlaneSource
from reports import codes
from reports.draft import Draft
from reports.equipment import coded
from reports.paper import Paper

MOST_IMAGES: Final = 300
"""What a library lists; more would make a report of more than 100 kB, which viewers load slowly."""
_CONTEXT = "HAS ACQ CONTEXT"
_CONTAINS = "CONTAINS"


def image_library(draft: Draft) -> Dataset:
    """TID 1600: the planes of the volume in one TID 1601 group, descriptors (TID 1602) on the group.

    There is one group even where every slice is a series of its own, because OHIF reads no other than the
    first. Of a stack of more than `MOST_IMAGES` images the library lists those at the phase of the focus; the
    evidence has all.
    """
    cited = list(draft.instances())
    if len(cited) > MOST_IMAGES:
        shown = {plane.sop_instance_uid for plane in draft.context.volume.sources[draft.focus.phase]}
        cited = [(plane, frames) for plane, frames in cited if plane.sop_instance_uid in shown]
    images = [library_image(draft, plane, frames) for plane, frames in cited]
    return library_of([*_descriptors(draft), *images])


def library_of(items: Sequence[Dataset]) -> Dataset:
    """TID 1600 around one group of `items`: descriptors, then images."""
    group = _container(codes.IMAGE_LIBRARY_GROUP, items)
    library = _container(codes.IMAGE_LIBRARY, [group])
    template = Dataset()
    template.MappingResource, template.TemplateIdentifier = "DCMR", "1600"
    library.ContentTemplateSequence = [template]
    return library


def _container(name: Code, items: Sequence[Dataset]) -> Dataset:
    container = _item("CONTAINER", _CONTAINS, name)
    container.ContinuityOfContent = "SEPARATE"
    container.ContentSequence = items
    return container


def _descriptors(draft: Draft) -> list[Dataset]:
    volume = draft.context.volume
    items = [modality()]
    if volume.frame_of_reference_uid:
        items.append(_item("UIDREF", _CONTEXT, codes.FRAME_OF_REFERENCE))
        items[-1].UID = draft.ids.of(volume.frame_of_reference_uid)
    rows, columns = volume.voxels.shape[2:]
    return [*items, _count(codes.ROWS, rows), _count(codes.COLUMNS, columns)]


def modality() -> Dataset:
    """TID 1602 row 1: magnetic resonance, of all images we read."""
    item = _item("CODE", _CONTEXT, codes.MODALITY)
    item.ConceptCodeSequence = [coded(codes.MAGNETIC_RESONANCE)]
    return item


def _count(name: Code, pixels: int) -> Dataset:
    value = Dataset()
    value.NumericValue = str(pixels)
    value.MeasurementUnitsCodeSequence = [coded(codes.PIXELS)]
    item = _item("NUM", _CONTEXT, name)
    item.MeasuredValueSequence = [value]
    return item


def library_image(paper: Paper, plane: PlaneSource, frames: tuple[int, ...]) -> Dataset:
    """One image (TID 1601; it has no name); of a multi-frame object the `frames` meant, () for all."""
    reference = Dataset()
    reference.ReferencedSOPClassUID = plane.sop_class_uid
    reference.ReferencedSOPInstanceUID = paper.ids.of(plane.sop_instance_uid)
    if frames:
        reference.ReferencedFrameNumber = list(frames)
    item = _item("IMAGE", _CONTAINS)
    item.ReferencedSOPSequence = [reference]
    return item


def _item(value_type: str, relationship: str, name: Code | None = None) -> Dataset:
    item = Dataset()
    item.RelationshipType, item.ValueType = relationship, value_type
    if name is not None:
        item.ConceptNameCodeSequence = [coded(name)]
    return item
