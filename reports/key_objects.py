"""Key Object Selection of the images the report points at (PS3.3 A.35.4; PS3.16 TID 2010).

The title is For Research (CID 7010): archives hide what a document with a rejection title names. The
structured report itself is not cited, because it leaves under another SOP Instance UID where an archive does
not know its class (`reports.sr_class`), and this document cannot follow.
"""

from typing import Final

from highdicom import ko
from pydicom.dataset import Dataset

from reports import codes
from reports.draft import Draft
from reports.evidence import cited, made_instances
from reports.peaks import Peak, peaks
from reports.sr_document import observer, separate
from reports.wording import research_note, series_description

SERIES_NUMBER: Final = 906


def build(draft: Draft, page: Dataset, overlays: list[Dataset]) -> list[Dataset]:
    """One document: the frames with the attention's peaks, the overlays on them, and the summary page.

    Without a map the report points at no image, and there is no document.
    """
    pointed = peaks(draft)
    if not pointed:
        return []
    objects = [
        *(_source(draft, peak) for peak in pointed),
        *(cited(draft, one) for one in made_instances(page, *(overlays[peak.slice] for peak in pointed))),
    ]
    equipment = draft.equipment
    document = ko.KeyObjectSelectionDocument(
        evidence=objects,
        content=_content(draft, objects),
        series_instance_uid=draft.uid("key objects", "series"),
        series_number=SERIES_NUMBER,
        sop_instance_uid=draft.uid("key objects", "instance"),
        instance_number=1,
        manufacturer=equipment.manufacturer,
        manufacturer_model_name=equipment.model_name,
        software_versions=equipment.software_version,
        device_serial_number=equipment.serial_number,
        series_description=series_description(draft.model, "key images"),
        specific_character_set="ISO_IR 192",
    )
    for item in document.ContentSequence:
        if item.ValueType == "IMAGE":
            del item.ConceptNameCodeSequence  # highdicom names the items, TID 2010 does not
    return [draft.seal(document)]


def _source(draft: Draft, peak: Peak) -> Dataset:
    plane = peak.pixel.plane
    image = cited(draft, plane)
    if plane.multiframe:
        image.ReferencedFrameNumber = plane.frame
    return image


def _content(draft: Draft, objects: list[Dataset]) -> ko.KeyObjectSelection:
    for image in objects:
        image.Rows = image.Columns = 1  # makes the item an IMAGE; highdicom looks no further
    content = ko.KeyObjectSelection(
        document_title=codes.FOR_RESEARCH,
        referenced_objects=objects,
        observer_device_context=observer(draft),
        description=_description(draft),
    )
    root = content[0]
    images = [item for item in root.ContentSequence if item.ValueType == "IMAGE"]
    for item, image in zip(images, objects, strict=True):
        if "ReferencedFrameNumber" in image:
            item.ReferencedSOPSequence[0].ReferencedFrameNumber = image.ReferencedFrameNumber
    separate(root)
    return content


def _description(draft: Draft) -> str:
    phase = draft.focus.phase + 1
    return (
        f"{research_note(draft.model)} Source images in which {draft.words.hardest} (phase {phase}, the "
        f"most {draft.words.name} first), the summary page, and the {draft.words.name} over the same images."
    )
