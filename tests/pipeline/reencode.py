"""Real studies in other clothes: the lossless transfer syntaxes, and multi-frame objects.

Who writes and who reads each transfer syntax (pydicom 3.0.2):

| transfer syntax             | written here by       | read by the node with |
|-----------------------------|-----------------------|-----------------------|
| Explicit LE, Implicit LE,   | pydicom               | pydicom               |
| Deflated, Explicit BE       |                       |                       |
| RLE                         | pydicom               | pydicom               |
| JPEG-LS lossless .80        | pyjpegls by pydicom   | pyjpegls              |
| JPEG 2000 lossless .90      | GDCM                  | pillow, else GDCM     |
| JPEG Lossless .57 and .70   | GDCM                  | GDCM                  |
"""

from collections.abc import Sequence
from pathlib import Path

import gdcm
import numpy as np
from pydicom import Dataset, dcmread
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    EnhancedMRImageStorage,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    LegacyConvertedEnhancedMRImageStorage,
    RLELossless,
)

LOSSLESS = (
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    RLELossless,
    JPEGLSLossless,
    JPEG2000Lossless,
    JPEGLossless,
    JPEGLosslessSV1,
)
_GDCM = {
    JPEG2000Lossless: gdcm.TransferSyntax.JPEG2000Lossless,
    JPEGLossless: gdcm.TransferSyntax.JPEGLosslessProcess14,
    JPEGLosslessSV1: gdcm.TransferSyntax.JPEGLosslessProcess14_1,
}
_FRAME_TAGS = ("TriggerTime", "NominalInterval", "InstanceNumber")


def reencode(path: Path, folder: Path, transfer_syntax: str) -> Path:
    """Write the file at `path` into `folder` in another transfer syntax; same UIDs, same pixels."""
    target = folder / path.name
    if transfer_syntax in _GDCM:
        _by_gdcm(path, target, _GDCM[transfer_syntax])
        return target
    dataset = dcmread(path)
    pixels, bits = dataset.pixel_array, dataset.BitsAllocated
    if transfer_syntax in (RLELossless, JPEGLSLossless):
        dataset.compress(transfer_syntax, generate_instance_uid=False)
    else:
        order = ">" if transfer_syntax == ExplicitVRBigEndian else "<"
        dataset.PixelData = pixels.astype(f"{order}{pixels.dtype.kind}{bits // 8}").tobytes()
        dataset["PixelData"].VR = "OW"
        dataset.file_meta.TransferSyntaxUID = transfer_syntax
    _save(dataset, target)
    return target


def as_multi_frame(paths: Sequence[Path], folder: Path, *, legacy: bool = False) -> Path:
    """Write single-frame MR files as one Enhanced MR object, or as one Legacy Converted Enhanced MR object."""
    frames = [dcmread(path) for path in paths]
    first = frames[0]
    dataset = Dataset()
    dataset.file_meta = first.file_meta
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPClassUID = LegacyConvertedEnhancedMRImageStorage if legacy else EnhancedMRImageStorage
    dataset.SOPInstanceUID = f"{first.SOPInstanceUID}.1"[-64:]
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    for keyword in (
        "StudyInstanceUID",
        "SeriesInstanceUID",
        "FrameOfReferenceUID",
        "Modality",
        "PatientID",
        "PatientName",
        "PatientBirthDate",
        "PatientSex",
        "StudyDate",
        "StudyTime",
        "Manufacturer",
        "ManufacturerModelName",
        "SeriesNumber",
        "Rows",
        "Columns",
        "SamplesPerPixel",
        "PhotometricInterpretation",
        "BitsAllocated",
        "BitsStored",
        "HighBit",
        "PixelRepresentation",
    ):
        if keyword in first:
            dataset[keyword] = first[keyword]
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "VOLUME" if legacy else "CARDIAC", "NONE"]
    dataset.InstanceNumber = 1
    dataset.NumberOfFrames = len(frames)
    dataset.SharedFunctionalGroupsSequence = [_shared(first)]
    dataset.PerFrameFunctionalGroupsSequence = [_per_frame(frame, legacy) for frame in frames]
    dataset.PixelData = np.stack([frame.pixel_array for frame in frames]).tobytes()
    dataset["PixelData"].VR = "OW"
    target = folder / f"{'legacy' if legacy else 'enhanced'}.dcm"
    _save(dataset, target)
    return target


def _shared(first: Dataset) -> Dataset:
    group, orientation, measures, frame_type, transformation = (Dataset() for _ in range(5))
    orientation.ImageOrientationPatient = first.ImageOrientationPatient
    measures.PixelSpacing, measures.SliceThickness = first.PixelSpacing, first.SliceThickness
    frame_type.FrameType = ["ORIGINAL", "PRIMARY", "CARDIAC", "NONE"]
    transformation.RescaleSlope = first.get("RescaleSlope", 1)
    transformation.RescaleIntercept = first.get("RescaleIntercept", 0)
    transformation.RescaleType = "US"
    group.PlaneOrientationSequence = [orientation]
    group.PixelMeasuresSequence = [measures]
    group.MRImageFrameTypeSequence = [frame_type]
    group.PixelValueTransformationSequence = [transformation]
    return group


def _per_frame(frame: Dataset, legacy: bool) -> Dataset:
    group, position, timing = Dataset(), Dataset(), Dataset()
    position.ImagePositionPatient = frame.ImagePositionPatient
    group.PlanePositionSequence = [position]
    if legacy:
        for keyword in _FRAME_TAGS:
            if keyword in frame:
                timing[keyword] = frame[keyword]
        group.UnassignedPerFrameConvertedAttributesSequence = [timing]
    else:
        timing.NominalCardiacTriggerDelayTime = float(frame.TriggerTime)
        timing.RRIntervalTimeNominal = float(frame.NominalInterval)
        group.CardiacSynchronizationSequence = [timing]
    return group


def _by_gdcm(path: Path, target: Path, syntax: int) -> None:
    reader = gdcm.ImageReader()
    reader.SetFileName(str(path))
    assert reader.Read(), path
    change = gdcm.ImageChangeTransferSyntax()
    change.SetTransferSyntax(gdcm.TransferSyntax(syntax))
    change.SetInput(reader.GetImage())
    assert change.Change(), (path, syntax)
    writer = gdcm.ImageWriter()
    writer.SetFileName(str(target))
    writer.SetFile(reader.GetFile())
    writer.SetImage(change.GetOutput())
    assert writer.Write(), target


def _save(dataset: Dataset, target: Path) -> None:
    decoded = Dataset()  # forgets the byte order it was read in
    decoded.file_meta = dataset.file_meta
    for element in dataset:
        decoded.add(element)
    decoded.save_as(target, enforce_file_format=True)
