"""Functional groups (PS3.3 C.7.6.16) shared by the multi-frame writers."""

import numpy as np
from pydicom.dataset import Dataset

from pipeline.phantom.header import decimal
from pipeline.phantom.storage import Storage
from pipeline.phantom.views import View


def group(target: Dataset, sequence: str, **values: object) -> Dataset:
    """Add a functional group with one item of `values` to `target`; returns the item."""
    item = Dataset()
    for keyword, value in values.items():
        setattr(item, keyword, value)
    setattr(target, sequence, [item])
    return item


def add_geometry(shared: Dataset, view: View) -> None:
    """Pixel Measures and Plane Orientation."""
    _, down, right = view.geometry.directions
    measures = group(
        shared,
        "PixelMeasuresSequence",
        SliceThickness=decimal(view.thickness_mm),
        PixelSpacing=[decimal(mm) for mm in view.geometry.spacing_mm[1:]],
    )
    if len(view.geometry.origins_mm) > 1:
        measures.SpacingBetweenSlices = decimal(view.geometry.spacing_mm[0])
    cosines = [decimal(cosine) for cosine in (*right, *down)]
    group(shared, "PlaneOrientationSequence", ImageOrientationPatient=cosines)


def add_rescale(shared: Dataset, storage: Storage) -> None:
    """Pixel Value Transformation."""
    group(
        shared,
        "PixelValueTransformationSequence",
        RescaleIntercept=str(storage.intercept),
        RescaleSlope=str(storage.slope),
        RescaleType="US",
    )


def add_window(shared: Dataset) -> None:
    """Frame VOI LUT."""
    group(shared, "FrameVOILUTSequence", WindowCenter="300", WindowWidth="600")


def add_frame_type(shared: Dataset, dataset: Dataset) -> None:
    """MR Image Frame Type (PS3.3 C.8.13.5.1): what the image as a whole says, said for its frames."""
    group(
        shared,
        "MRImageFrameTypeSequence",
        FrameType=list(dataset.ImageType),
        PixelPresentation=dataset.PixelPresentation,
        VolumetricProperties=dataset.VolumetricProperties,
        VolumeBasedCalculationTechnique=dataset.VolumeBasedCalculationTechnique,
        ComplexImageComponent=dataset.ComplexImageComponent,
        AcquisitionContrast=dataset.AcquisitionContrast,
    )


def add_place(frame: Dataset, view: View, phase: int, slice_: int) -> None:
    """Frame Content and Plane Position of one frame, indexed by slice and phase."""
    group(
        frame,
        "FrameContentSequence",
        FrameAcquisitionNumber=slice_ + 1,
        StackID="1",
        InStackPositionNumber=slice_ + 1,
        TemporalPositionIndex=phase + 1,
        DimensionIndexValues=[1, slice_ + 1, phase + 1],
    )
    origin = view.geometry.origins_mm[slice_]
    group(frame, "PlanePositionSequence", ImagePositionPatient=[decimal(mm) for mm in origin])


def add_dimensions(dataset: Dataset, uid: str) -> None:
    """The Multi-frame Dimension module (PS3.3 C.7.6.17): stack, slice, phase."""
    organization = Dataset()
    organization.DimensionOrganizationUID = uid
    dataset.DimensionOrganizationSequence = [organization]
    indices = []
    for keyword, label in (
        ("StackID", "Stack"),
        ("InStackPositionNumber", "Slice"),
        ("TemporalPositionIndex", "Phase"),
    ):
        index = Dataset()
        index.DimensionOrganizationUID = uid
        index.add_new("DimensionIndexPointer", "AT", _TAGS[keyword])
        index.add_new("FunctionalGroupPointer", "AT", 0x00209111)
        index.DimensionDescriptionLabel = label
        indices.append(index)
    dataset.DimensionIndexSequence = indices


def frames_of(view: View) -> list[tuple[int, int]]:
    """(phase, slice) of every frame in stored order: phases fastest."""
    phases, slices = view.voxels.shape[:2]
    return [(phase, slice_) for slice_ in range(slices) for phase in range(phases)]


def planes_of(view: View) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """(frame, row, column) in stored order."""
    swapped = view.voxels.swapaxes(0, 1)
    return swapped.reshape(-1, *swapped.shape[2:])


_TAGS = {"StackID": 0x00209056, "InStackPositionNumber": 0x00209057, "TemporalPositionIndex": 0x00209128}
