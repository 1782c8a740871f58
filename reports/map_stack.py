"""What the objects that hold the map itself share: the map over the stack, as highdicom must be told it.

highdicom takes the planes from source images. It is given one made-up image per slice, with the volume's
geometry and nothing of the patient, since real stacks are spread over series, repeat themselves over time or
lie in one multi-frame image. Afterwards every reference is replaced by one to the real sources.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.sr.coding import Code
from pydicom.uid import MRImageStorage

from models import Method
from reports import codes, placement
from reports.draft import Draft
from reports.source_image import lossy, referenced_series, slice_sources
from reports.wording import research_note

_BLANK = (
    *("PatientID", "PatientName", "PatientBirthDate", "PatientSex"),
    *("AccessionNumber", "StudyID", "StudyDate", "StudyTime"),
)


def peak_over_time(draft: Draft) -> NDArray[np.float32] | None:
    """The map's maximum over the phases (slice, row, column); None if there is none, or nowhere to put it.

    An object of its own needs a frame of reference (PS3.3 A.51, A.75).
    """
    attention = draft.context.prediction.attention
    if attention is None or not draft.focus.located or not draft.context.volume.frame_of_reference_uid:
        return None
    peak: NDArray[np.float32] = attention.max(axis=0).astype(np.float32)
    return peak


def saliency(draft: Draft) -> Code:
    """What the values of the map are (CID 217)."""
    is_gradcam = draft.context.prediction.explained_by is Method.GRADCAM
    return codes.GRADIENT_WEIGHTED if is_gradcam else codes.SALIENCY


def identity(draft: Draft, purpose: str, number: int) -> dict[str, Any]:
    """What highdicom's constructors ask about the object, its series and its maker."""
    equipment = draft.context.equipment
    return {
        "series_instance_uid": draft.uid(purpose, "series"),
        "series_number": number,
        "sop_instance_uid": draft.uid(purpose, "instance"),
        "instance_number": 1,
        "manufacturer": equipment.manufacturer,
        "manufacturer_model_name": equipment.model_name,
        "software_versions": equipment.software_version,
        "device_serial_number": equipment.serial_number,
        "specific_character_set": "ISO_IR 192",
    }


def stack(draft: Draft) -> list[Dataset]:
    """One image per slice where it lies, base to apex."""
    return [_plane(draft, slice_) for slice_ in range(draft.context.volume.voxels.shape[1])]


def completed(draft: Draft, image: Dataset, purpose: str, derivation: str) -> Dataset:
    """`image` as highdicom left it, sealed: with the real sources, and what it lacks or takes at random."""
    image.BodyPartExamined = "HEART"  # unpaired, so that Laterality (2C) is not asked for
    image.ImageComments = research_note(draft.context.prediction.model)
    image.PositionReferenceIndicator = ""
    _organise(image, draft.uid(purpose, "dimensions"))
    for frame in image.PerFrameFunctionalGroupsSequence:
        slice_ = _slice_at(draft, frame.PlanePositionSequence[0].ImagePositionPatient)
        derived = frame.DerivationImageSequence[0]
        derived.DerivationDescription = derivation
        derived.SourceImageSequence = slice_sources(draft, slice_)
    del image.SourceImageSequence
    image.ReferencedSeriesSequence = referenced_series(draft)
    return draft.seal(image)


def _slice_at(draft: Draft, position: Sequence[float]) -> int:
    """The slice that lies there; highdicom orders the frames along the normal."""
    origins = np.array(draft.context.volume.geometry.origins_mm)
    return int(np.linalg.norm(origins - np.array(position, float), axis=1).argmin())


def _plane(draft: Draft, slice_: int) -> Dataset:
    volume = draft.context.volume
    distance = volume.geometry.spacing_mm[0]
    plane = Dataset()
    plane.SOPClassUID, plane.SOPInstanceUID = MRImageStorage, draft.uid("stack", str(slice_))
    plane.SeriesInstanceUID = draft.uid("stack", "series")
    plane.StudyInstanceUID = draft.ids.of(volume.study_instance_uid)
    plane.FrameOfReferenceUID = draft.ids.of(volume.frame_of_reference_uid)
    plane.Rows, plane.Columns = volume.voxels.shape[2:]
    plane.ImagePositionPatient = placement.position(draft, slice_)
    plane.ImageOrientationPatient = placement.orientation(draft)
    plane.PixelSpacing = placement.spacing(draft)
    # the standard wants one here (PS3.3 C.7.6.16.2.1); where the source is silent, the slabs fill the stack
    plane.SliceThickness = placement.thickness(draft, slice_) or placement.decimals(distance)[0]
    plane.LossyImageCompression = lossy(draft)
    for keyword in _BLANK:
        setattr(plane, keyword, "")
    return plane


def _organise(image: Dataset, uid: str) -> None:
    """A Dimension Organization UID (PS3.3 C.7.6.17) that is ours; highdicom draws one by lot."""
    for item in (*image.DimensionOrganizationSequence, *image.DimensionIndexSequence):
        item.DimensionOrganizationUID = uid
