"""A view as one Legacy Converted Enhanced MR Image (PS3.3 A.71): what an archive makes of single-frame files.

Times stay what they were, Trigger Time of the old images, in the attributes nobody assigned a place to.
"""

from pydicom.dataset import Dataset

from pipeline.phantom.functional_groups import (
    add_dimensions,
    add_frame_type,
    add_geometry,
    add_place,
    add_rescale,
    add_window,
    frames_of,
    group,
    planes_of,
)
from pipeline.phantom.header import Examination, Series, decimal, new_dataset
from pipeline.phantom.single_frame import MR_IMAGE
from pipeline.phantom.storage import Storage
from pipeline.phantom.views import View

LEGACY_CONVERTED_MR_IMAGE = "1.2.840.10008.5.1.4.1.1.4.4"

_STORAGE = Storage(signed=True, bits=16)


def write_legacy_converted(examination: Examination, view: View, number: int) -> Dataset:
    """All planes of `view` in one object of series `number`."""
    series = Series(number, (view.name,), f"phantom FIESTA {view.name}")
    uid = examination.part_uid("instance", view.name)
    dataset = new_dataset(examination, series, LEGACY_CONVERTED_MR_IMAGE, uid)
    dataset.InstanceNumber = 1
    dataset.NumberOfFrames = len(frames_of(view))
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "CARDIAC_GATED" if view.beats else "LOCALIZER", "NONE"]
    dataset.PixelPresentation = "MONOCHROME"
    dataset.VolumetricProperties = "VOLUME"
    dataset.VolumeBasedCalculationTechnique = "NONE"
    dataset.ComplexImageComponent = "MAGNITUDE"
    dataset.AcquisitionContrast = "UNKNOWN"
    dataset.AcquisitionDateTime = dataset.SeriesDate + dataset.SeriesTime
    dataset.ContentQualification = "RESEARCH"
    dataset.BurnedInAnnotation = "NO"
    dataset.PresentationLUTShape = "IDENTITY"
    dataset.AcquisitionContextSequence = []
    add_dimensions(dataset, examination.part_uid("dimensions", view.name))
    dataset.SharedFunctionalGroupsSequence = [_shared(dataset, view)]
    dataset.PerFrameFunctionalGroupsSequence = [
        _frame(examination, view, *place) for place in frames_of(view)
    ]
    _STORAGE.describe(dataset, planes_of(view))
    return dataset


def _shared(dataset: Dataset, view: View) -> Dataset:
    shared = Dataset()
    add_geometry(shared, view)
    add_rescale(shared, _STORAGE)
    add_window(shared)
    add_frame_type(shared, dataset)
    group(
        shared,
        "UnassignedSharedConvertedAttributesSequence",
        ScanningSequence="GR",
        SequenceVariant="SS",
        RepetitionTime="3.2",
        EchoTime="1.6",
    )
    return shared


def _frame(examination: Examination, view: View, phase: int, slice_: int) -> Dataset:
    frame = Dataset()
    add_place(frame, view, phase, slice_)
    group(
        frame,
        "ConversionSourceAttributesSequence",
        ReferencedSOPClassUID=MR_IMAGE,
        ReferencedSOPInstanceUID=examination.part_uid("source", view.name, phase, slice_),
    )
    unassigned = group(frame, "UnassignedPerFrameConvertedAttributesSequence", InstanceNumber=phase + 1)
    if view.beats:
        unassigned.TriggerTime = decimal(view.trigger_ms[slice_][phase])
        unassigned.NominalInterval = round(view.rr_ms[slice_])
    return frame
