"""The manners of General Electric, Siemens and Philips scanners with single-frame cines.

What each writes is in their conformance statements and in open readers: GE runs through phases first and
counts locations in a private element; Siemens gives every slice a series and starts counting anew; Philips
runs through slices first and numbers phases and slices privately.
"""

from pydicom.dataset import Dataset

from pipeline.phantom.single_frame import Cell, Manner
from pipeline.phantom.storage import Storage


def _phase_fastest(cell: Cell) -> int:
    return cell.slice_ * cell.phases + cell.phase + 1


def _slice_fastest(cell: Cell) -> int:
    return cell.phase * cell.slices + cell.slice_ + 1


def _phase_only(cell: Cell) -> int:
    return cell.phase + 1


def _dress_ge(dataset: Dataset, cell: Cell) -> None:
    dataset.CardiacNumberOfImages = cell.phases
    dataset.ImagesInAcquisition = cell.phases * cell.slices
    acquisition = dataset.private_block(0x0019, "GEMS_ACQU_01", create=True)
    acquisition.add_new(0xD7, "SS", cell.phase + 1)
    relation = dataset.private_block(0x0021, "GEMS_RELA_01", create=True)
    relation.add_new(0x4F, "SS", cell.slices)


def _dress_siemens(dataset: Dataset, cell: Cell) -> None:
    dataset.CardiacNumberOfImages = cell.phases


def _dress_philips(dataset: Dataset, cell: Cell) -> None:
    imaging = dataset.private_block(0x2001, "Philips Imaging DD 001", create=True)
    imaging.add_new(0x08, "IS", cell.phase + 1)
    imaging.add_new(0x0A, "IS", cell.slice_ + 1)
    imaging.add_new(0x17, "SL", cell.phases)
    imaging.add_new(0x18, "SL", cell.slices)


def _siemens(*, series_per_slice: bool) -> Manner:
    return Manner(
        storage=Storage(signed=False, bits=12),
        image_type=("ORIGINAL", "PRIMARY", "M", "RETRO"),
        sequence_name="*tfi2d1_15",
        description=lambda view, number: (
            f"phantom cine_retro_{view}_b{number}" if series_per_slice else f"phantom cine_retro_{view}"
        ),
        series_per_slice=series_per_slice,
        number=_phase_only if series_per_slice else _phase_fastest,
        dress=_dress_siemens,
    )


def _philips(*, timed: bool) -> Manner:
    return Manner(
        storage=Storage(signed=False, bits=12, slope=0.5),
        image_type=("ORIGINAL", "PRIMARY", "M_FFE", "M", "FFE"),
        sequence_name="B-TFE",
        description=lambda view, number: f"phantom sBTFE_BH {view}",
        series_per_slice=False,
        number=_slice_fastest,
        dress=_dress_philips,
        timed=timed,
    )


GE = Manner(
    storage=Storage(signed=True, bits=16),
    image_type=("ORIGINAL", "PRIMARY", "OTHER"),
    sequence_name="fiesta",
    description=lambda view, number: f"phantom FIESTA {view}",
    series_per_slice=False,
    number=_phase_fastest,
    dress=_dress_ge,
)
SIEMENS = _siemens(series_per_slice=True)
SIEMENS_MIXED = _siemens(series_per_slice=False)
PHILIPS = _philips(timed=True)
PHILIPS_NUMBERED = _philips(timed=False)
