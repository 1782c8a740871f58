"""Small studies on disk with a volume and a made-up answer, for what only looks at headers and pictures."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import EnhancedMRImageStorage, ExplicitVRLittleEndian, MRImageStorage

from models import ModelIdentity, Prediction
from pipeline import CineVolume, Geometry, PlaneSource, Study, read_study
from reports import Equipment, InputQuality, ReportContext
from reports.context import stable_uid

PHASES, SLICES, ROWS, COLUMNS = 5, 4, 64, 48
STUDY_UID, SERIES_UID, FRAME_UID = (stable_uid("test", name) for name in ("study", "series", "frame"))
NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
EQUIPMENT = Equipment("dicom-node project", "dicom-node", "0.1.0", "0001", "DICOMNODE")
Change = Callable[[Dataset], None]

RIGHT, DOWN, THROUGH = (0.6, 0.8, 0.0), (0.0, 0.0, -1.0), (-0.8, 0.6, 0.0)
GEOMETRY = Geometry(
    tuple((10.0 - 8.0 * k, -20.0 + 6.0 * k, 30.0) for k in range(SLICES)),
    (10.0, 1.5, 1.25),
    (THROUGH, DOWN, RIGHT),
)


def header(number: int, sop_class: str = MRImageStorage) -> Dataset:
    """A clean scanner header without pixels."""
    image = Dataset()
    image.file_meta = FileMetaDataset()
    image.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    image.SpecificCharacterSet = "ISO_IR 100"
    image.SOPClassUID, image.SOPInstanceUID = sop_class, stable_uid("test", "image", str(number))
    image.StudyInstanceUID, image.SeriesInstanceUID, image.FrameOfReferenceUID = (
        STUDY_UID,
        SERIES_UID,
        FRAME_UID,
    )
    image.StudyDate, image.StudyTime, image.AccessionNumber, image.StudyID = "20260102", "101112", "A1", "7"
    image.Modality, image.Manufacturer, image.ManufacturerModelName = "MR", "Magnet Makers", "Tunnel 3T"
    image.StudyDescription, image.SeriesDescription = "Heart", "cine sax"
    image.PatientName, image.PatientID = "Nightingale^Florence", "N-1820"
    image.PatientBirthDate, image.PatientSex, image.ReferringPhysicianName = "18200512", "F", ""
    image.SliceThickness, image.InstanceNumber, image.SeriesNumber = "8", number, 3
    image.Rows, image.Columns, image.PixelSpacing = ROWS, COLUMNS, [1.5, 1.25]
    return image


def single_frames(folder: Path, change: Change = lambda image: None) -> list[tuple[PlaneSource, ...]]:
    """One MR image per plane, `change` applied to each; the sources, [phase][slice]."""
    rows = []
    for phase in range(PHASES):
        row = []
        for slice_ in range(SLICES):
            image = header(phase * SLICES + slice_ + 1)
            image.ImagePositionPatient = [f"{x:g}" for x in GEOMETRY.origins_mm[slice_]]
            image.ImageOrientationPatient = [*RIGHT, *DOWN]
            image.TriggerTime = str(40 * phase)
            change(image)
            _save(image, folder / f"{image.InstanceNumber}.dcm")
            row.append(PlaneSource(MRImageStorage, str(image.SOPInstanceUID), str(image.SeriesInstanceUID)))
        rows.append(tuple(row))
    return rows


def one_multiframe(folder: Path, change: Change = lambda image: None) -> list[tuple[PlaneSource, ...]]:
    """One Enhanced MR image with every plane as a frame, slice by slice."""
    image = header(1, EnhancedMRImageStorage)
    del image.SliceThickness, image.PixelSpacing
    image.NumberOfFrames = PHASES * SLICES
    measures = Dataset()
    measures.SliceThickness, measures.PixelSpacing = "8", [1.5, 1.25]
    shared = Dataset()
    shared.PixelMeasuresSequence = [measures]
    image.SharedFunctionalGroupsSequence = [shared]
    change(image)
    _save(image, folder / "1.dcm")
    uids = EnhancedMRImageStorage, str(image.SOPInstanceUID), str(image.SeriesInstanceUID)
    return [
        tuple(PlaneSource(*uids, 1 + slice_ * PHASES + phase, True) for slice_ in range(SLICES))
        for phase in range(PHASES)
    ]


def volume_of(study: Study, sources: list[tuple[PlaneSource, ...]], frame_uid: str = FRAME_UID) -> CineVolume:
    """A grey ramp with a bright disc, on the sources given."""
    row, column = np.mgrid[:ROWS, :COLUMNS]
    disc = np.hypot(row - 30, column - 25) < 10
    plane = (row + 2 * column + 400 * disc).astype(np.float32)
    voxels = np.stack([np.stack([plane + 3 * k + p for k in range(SLICES)]) for p in range(PHASES)])
    return CineVolume(
        voxels.astype(np.float32),
        GEOMETRY,
        tuple(tuple(40.0 * p for p in range(PHASES)) for _ in range(SLICES)),
        (200.0,) * SLICES,
        tuple(sources),
        study.uid,
        frame_uid,
    )


def attention_at(volume: CineVolume, phase: int, slice_: int, row: int, column: int) -> Any:
    """A blob with its peak of 1 there, weaker elsewhere in time and along the stack."""
    p, k, r, c = np.ogrid[tuple(slice(n) for n in volume.voxels.shape)]
    near = np.exp(
        -((r - row) ** 2 + (c - column) ** 2) / 40.0 - (k - slice_) ** 2 / 2.0 - (p - phase) ** 2 / 4.0
    )
    return near.astype(np.float32)


def model(*, demonstration: bool = False, weights: str = "ab" * 32) -> ModelIdentity:
    """An identity as a bundle's manifest would state it."""
    return ModelIdentity(
        "ST-RAN", "1.0.0", "stran", weights, "cd" * 32, "Scar", "Trained on phantoms.", demonstration
    )


def prediction(volume: CineVolume, probability: float = 0.873, **changes: Any) -> Prediction:
    """An answer whose attention peaks at phase 3, slice 1, row 30, column 20 (from 0)."""
    answer: dict[str, Any] = {
        "model": model(),
        "probability": probability,
        "threshold": 0.5,
        "attention": attention_at(volume, 3, 1, 30, 20),
        "attention_method": "Spatiotemporal gate, interpolated to the image.",
        "notes": ("Cropped to 128 mm about the heart.",),
    }
    return Prediction(**{**answer, **changes})


def context_of(
    volume: CineVolume, study: Study, answer: Prediction | None = None, **changes: Any
) -> ReportContext:
    """Everything a report depends on, with a clock that stands."""
    given: dict[str, Any] = {
        "study": study,
        "volume": volume,
        "prediction": answer or prediction(volume),
        "quality": InputQuality(
            f"{volume.voxels.shape[1]} slices x {volume.voxels.shape[0]} phases, complete"
        ),
        "equipment": EQUIPMENT,
        "now": NOW,
    }
    return ReportContext(**{**given, **changes})


def small_context(
    folder: Path,
    *,
    write: Callable[[Path, Change], list[tuple[PlaneSource, ...]]] = single_frames,
    change: Change = lambda image: None,
    answer: dict[str, Any] | None = None,
    **changes: Any,
) -> ReportContext:
    """A synthetic study written to `folder` and read back, with an answer (its fields: `answer`)."""
    folder.mkdir(parents=True, exist_ok=True)
    sources = write(folder, change)
    study = read_study(sorted(folder.glob("*.dcm")))
    volume = volume_of(study, sources)
    return context_of(volume, study, prediction(volume, **(answer or {})), **changes)


def _save(image: Dataset, path: Path) -> None:
    image.file_meta.MediaStorageSOPClassUID = image.SOPClassUID
    image.file_meta.MediaStorageSOPInstanceUID = image.SOPInstanceUID
    image.save_as(path, enforce_file_format=True)
