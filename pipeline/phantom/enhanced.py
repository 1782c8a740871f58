"""A view as one Enhanced MR Image object (PS3.3 A.36.2)."""

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
from pipeline.phantom.header import Examination, Series, new_dataset
from pipeline.phantom.pulse_sequence import add_pulse_sequence, add_technique
from pipeline.phantom.storage import Storage
from pipeline.phantom.views import View

ENHANCED_MR_IMAGE = "1.2.840.10008.5.1.4.1.1.4.1"

_STORAGE = Storage(signed=False, bits=16, slope=0.25, intercept=-100.0)


def write_enhanced(examination: Examination, view: View, number: int) -> Dataset:
    """All planes of `view` in one object of series `number`."""
    series = Series(
        number, (view.name,), f"phantom cine {view.name}" if view.beats else f"phantom {view.name}"
    )
    uid = examination.part_uid("instance", view.name)
    dataset = new_dataset(examination, series, ENHANCED_MR_IMAGE, uid)
    dataset.InstanceNumber = 1
    dataset.AcquisitionNumber = 1
    dataset.NumberOfFrames = len(frames_of(view))
    _image(dataset, view)
    add_pulse_sequence(dataset)
    if view.beats:
        _synchronization(dataset, view)
    add_dimensions(dataset, examination.part_uid("dimensions", view.name))
    dataset.SharedFunctionalGroupsSequence = [_shared(dataset, view)]
    dataset.PerFrameFunctionalGroupsSequence = [_frame(dataset, view, *place) for place in frames_of(view)]
    _STORAGE.describe(dataset, planes_of(view))
    return dataset


def _image(dataset: Dataset, view: View) -> None:
    """The Enhanced MR Image module (PS3.3 C.8.13.1)."""
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "CARDIAC_GATED" if view.beats else "LOCALIZER", "NONE"]
    dataset.PixelPresentation = "MONOCHROME"
    dataset.VolumetricProperties = "VOLUME"
    dataset.VolumeBasedCalculationTechnique = "NONE"
    dataset.ComplexImageComponent = "MAGNITUDE"
    dataset.AcquisitionContrast = "UNKNOWN"
    dataset.AcquisitionDateTime = dataset.SeriesDate + dataset.SeriesTime
    dataset.AcquisitionDuration = max(view.rr_ms)
    dataset.ContentQualification = "RESEARCH"
    dataset.ResonantNucleus = "1H"
    dataset.KSpaceFiltering = "NONE"
    dataset.MagneticFieldStrength = 1.5
    dataset.ApplicableSafetyStandardAgency = "IEC"
    dataset.BurnedInAnnotation = "NO"
    dataset.PresentationLUTShape = "IDENTITY"
    dataset.AcquisitionContextSequence = []


def _synchronization(dataset: Dataset, view: View) -> None:
    """The Cardiac Synchronization module (PS3.3 C.7.6.18.1)."""
    dataset.CardiacSynchronizationTechnique = "RETROSPECTIVE"
    dataset.CardiacSignalSource = "ECG"
    dataset.CardiacRRIntervalSpecified = sum(view.rr_ms) / len(view.rr_ms)
    dataset.CardiacBeatRejectionTechnique = "NONE"
    dataset.LowRRValue = None
    dataset.HighRRValue = None
    dataset.IntervalsAcquired = None
    dataset.IntervalsRejected = None


def _shared(dataset: Dataset, view: View) -> Dataset:
    shared = Dataset()
    add_geometry(shared, view)
    add_rescale(shared, _STORAGE)
    add_window(shared)
    add_technique(shared, view.voxels.shape[-2:])
    heart = Dataset()
    heart.CodeValue, heart.CodingSchemeDesignator, heart.CodeMeaning = "80891009", "SCT", "Heart"
    group(shared, "FrameAnatomySequence", FrameLaterality="U", AnatomicRegionSequence=[heart])
    add_frame_type(shared, dataset)
    return shared


def _frame(dataset: Dataset, view: View, phase: int, slice_: int) -> Dataset:
    frame = Dataset()
    add_place(frame, view, phase, slice_)
    content = frame.FrameContentSequence[0]
    content.FrameReferenceDateTime = dataset.AcquisitionDateTime
    content.FrameAcquisitionDateTime = dataset.AcquisitionDateTime
    content.FrameAcquisitionDuration = view.rr_ms[slice_]
    if view.beats:
        group(
            frame,
            "CardiacSynchronizationSequence",
            NominalCardiacTriggerDelayTime=view.trigger_ms[slice_][phase],
            ActualCardiacTriggerDelayTime=view.trigger_ms[slice_][phase],
            RRIntervalTimeNominal=view.rr_ms[slice_],
        )
    return frame
