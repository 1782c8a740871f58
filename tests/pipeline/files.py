"""Small files, well formed or not."""

import struct
from pathlib import Path

import numpy as np
from pydicom import Dataset
from pydicom.datadict import tag_for_keyword
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage

from pipeline import InstanceFacts, read_facts
from tests.pipeline.scenes import DOWN, NORMAL, ROW


def small_image() -> Dataset:
    """A well-formed 4 x 6 MR image."""
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPClassUID, dataset.SOPInstanceUID = MRImageStorage, "1.2.3.4"
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = "1.2.3", "1.2.3.1"
    dataset.Modality, dataset.PatientID, dataset.InstanceNumber = "MR", "P1", 7
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "M"]
    dataset.ImagePositionPatient, dataset.ImageOrientationPatient = [1.5, -2.5, 3.0], [1, 0, 0, 0, 1, 0]
    dataset.PixelSpacing = [1.25, 1.5]
    dataset.Rows, dataset.Columns, dataset.SamplesPerPixel = 4, 6, 1
    dataset.BitsAllocated = dataset.BitsStored = 16
    dataset.HighBit, dataset.PixelRepresentation, dataset.PhotometricInterpretation = 15, 0, "MONOCHROME2"
    dataset.PixelData = np.arange(24, dtype="<u2").tobytes()
    return dataset


def facts_of(dataset: Dataset, path: Path) -> InstanceFacts:
    dataset.save_as(path, enforce_file_format=True)
    return read_facts(path)


def splice(path: Path, keyword: str, value: bytes) -> Path:
    """Give `keyword` bytes that no writer would let through, in a file in Explicit VR Little Endian."""
    tag = tag_for_keyword(keyword)
    assert tag is not None
    content = path.read_bytes()
    at = start = 132 + 12 + int.from_bytes(content[140:144], "little")
    while at < len(content):
        group, element = struct.unpack("<HH", content[at : at + 4])
        long = content[at + 4 : at + 6] in (b"OW", b"OB", b"SQ", b"UN", b"UT")
        size = int.from_bytes(content[at + 8 : at + 12] if long else content[at + 6 : at + 8], "little")
        end = at + (12 if long else 8) + size
        if (group << 16 | element) >= tag:
            break
        at = end
    assert at >= start
    rest = end if (group << 16 | element) == tag else at
    value += b" " * (len(value) % 2)
    spliced = struct.pack("<HH2sHI", tag >> 16, tag & 0xFFFF, b"UT", 0, len(value)) + value
    path.write_bytes(content[:at] + spliced + content[rest:])
    return path


def write_cine(
    folder: Path, times_ms: list[list[float]], rr_ms: list[float | None], *, series: str = "1.2.3.1"
) -> list[Path]:
    """A stack of 4 x 6 pixels, apex first, 10 mm apart; a pixel is its slice, its time and its place.

    `times_ms` has the trigger times of every slice, `rr_ms` its R-R interval.
    """
    paths = []
    for slice_, (times, rr) in enumerate(zip(times_ms, rr_ms, strict=True)):
        for phase, time in enumerate(times):
            dataset = small_image()
            dataset.SOPInstanceUID = f"{series}.{slice_ + 1}.{phase + 1}"
            dataset.SeriesInstanceUID = series
            dataset.InstanceNumber = phase + 1
            dataset.TriggerTime = f"{time:.6f}"
            if rr is not None:
                dataset.NominalInterval = f"{rr:.0f}"
            dataset.ImagePositionPatient = [f"{mm:.6f}" for mm in NORMAL * slice_ * 10.0]
            dataset.ImageOrientationPatient = [*ROW, *DOWN]
            pixels = np.arange(24).reshape(4, 6) + 1000 * slice_ + round(time) * 10
            dataset.PixelData = pixels.astype("<u2").tobytes()
            paths.append(folder / f"{series}-{slice_:02d}-{phase:02d}.dcm")
            dataset.save_as(paths[-1], enforce_file_format=True)
    return paths
