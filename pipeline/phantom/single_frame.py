"""Views as MR Image Storage, one file per plane (PS3.3 A.4), in the manner of three makers."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from pydicom.dataset import Dataset

from pipeline.phantom.header import Examination, Series, decimal, new_dataset
from pipeline.phantom.storage import Storage
from pipeline.phantom.views import View

MR_IMAGE = "1.2.840.10008.5.1.4.1.1.4"


@dataclass(frozen=True, slots=True)
class Cell:
    """One plane's place in its view; phase and slice count from 0."""

    phase: int
    slice_: int
    phases: int
    slices: int


@dataclass(frozen=True, slots=True)
class Manner:
    """How one maker lays out a cine.

    Attributes:
        storage: of pixels.
        image_type: Image Type (PS3.3 C.8.3.1.1.1).
        sequence_name: what it calls steady-state free precession.
        description: of a series, from view name and slice number (from 1).
        series_per_slice: whether every slice is a series of its own.
        number: Instance Number of a cell.
        dress: adds what only this maker writes.
        timed: whether Trigger Time has a value and Nominal Interval is there.
    """

    storage: Storage
    image_type: tuple[str, ...]
    sequence_name: str
    description: Callable[[str, int], str]
    series_per_slice: bool
    number: Callable[[Cell], int]
    dress: Callable[[Dataset, Cell], None]
    timed: bool = True


def write_view(examination: Examination, manner: Manner, view: View, first_series: int) -> Iterator[Dataset]:
    """One dataset per plane, in the order of the maker's Instance Numbers within each series."""
    phases, slices = view.voxels.shape[:2]
    cells = [Cell(phase, slice_, phases, slices) for slice_ in range(slices) for phase in range(phases)]
    for cell in cells if manner.series_per_slice else sorted(cells, key=manner.number):
        alone = manner.series_per_slice
        series = Series(
            first_series + (cell.slice_ if alone else 0),
            (view.name, cell.slice_) if alone else (view.name,),
            manner.description(view.name, cell.slice_ + 1),
        )
        uid = examination.part_uid("instance", view.name, cell.phase, cell.slice_)
        dataset = new_dataset(examination, series, MR_IMAGE, uid)
        dataset.ImageType = list(manner.image_type)
        dataset.InstanceNumber = manner.number(cell)
        dataset.AcquisitionNumber = cell.slice_ + 1
        _acquisition(dataset, manner, view)
        _plane(dataset, view, cell.slice_)
        if view.beats:
            _beat(dataset, manner, view, cell)
        _pixels(dataset, manner.storage, view, cell)
        yield dataset


def _acquisition(dataset: Dataset, manner: Manner, view: View) -> None:
    dataset.QualityControlImage = "YES"
    dataset.AcquisitionDate, dataset.AcquisitionTime = dataset.SeriesDate, dataset.SeriesTime
    dataset.ScanningSequence = "GR"
    dataset.SequenceVariant = "SS"
    dataset.ScanOptions = "CG" if view.beats else ""
    dataset.MRAcquisitionType = "2D"
    dataset.SequenceName = manner.sequence_name
    dataset.RepetitionTime = "3.2"
    dataset.EchoTime = "1.6"
    dataset.EchoTrainLength = 1
    dataset.FlipAngle = "55"
    dataset.MagneticFieldStrength = "1.5"
    dataset.NumberOfAverages = "1"
    dataset.ImagedNucleus = "1H"


def _plane(dataset: Dataset, view: View, slice_: int) -> None:
    geometry = view.geometry
    _, down, right = geometry.directions
    origin = geometry.origins_mm[slice_]
    dataset.ImagePositionPatient = [decimal(mm) for mm in origin]
    dataset.ImageOrientationPatient = [decimal(cosine) for cosine in (*right, *down)]
    dataset.PixelSpacing = [decimal(mm) for mm in geometry.spacing_mm[1:]]
    dataset.SliceThickness = decimal(view.thickness_mm)
    dataset.SliceLocation = decimal(float(np.dot(np.cross(right, down), origin)))
    if len(geometry.origins_mm) > 1:
        dataset.SpacingBetweenSlices = decimal(geometry.spacing_mm[0])


def _beat(dataset: Dataset, manner: Manner, view: View, cell: Cell) -> None:
    dataset.TriggerTime = None
    if manner.timed:
        dataset.TriggerTime = decimal(view.trigger_ms[cell.slice_][cell.phase])
        dataset.NominalInterval = round(view.rr_ms[cell.slice_])
    manner.dress(dataset, cell)


def _pixels(dataset: Dataset, storage: Storage, view: View, cell: Cell) -> None:
    plane = view.voxels[cell.phase, cell.slice_]
    storage.describe(dataset, plane)
    dataset.WindowCenter, dataset.WindowWidth = "300", "600"
    if (storage.slope, storage.intercept) != (1.0, 0.0):
        dataset.RescaleSlope = str(storage.slope)
        dataset.RescaleIntercept = str(storage.intercept)
        dataset.RescaleType = "US"
