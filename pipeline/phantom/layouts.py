"""Writes a simulated study the way different scanners and archives do."""

from collections.abc import Iterator
from enum import StrEnum
from itertools import chain
from pathlib import Path

from pydicom.dataset import Dataset

from pipeline.phantom import makers
from pipeline.phantom.enhanced import write_enhanced
from pipeline.phantom.header import Examination
from pipeline.phantom.identity import study_uid as usual_study_uid
from pipeline.phantom.legacy import write_legacy_converted
from pipeline.phantom.scan import Phantom
from pipeline.phantom.single_frame import Manner, write_view
from pipeline.phantom.views import View, companions, short_axis


class Layout(StrEnum):
    """How a short-axis cine comes out of a scanner or an archive.

    Every layout carries the phantom's voxels, geometry and times exactly, but for PHILIPS_NUMBERED, which
    numbers the phases and says nothing of milliseconds: there the times are lost.
    """

    GE = "ge"
    """One series of single-frame images, phases fastest."""
    SIEMENS = "siemens"
    """One series per slice; Instance Number starts anew in each."""
    SIEMENS_MIXED = "siemens-mixed"
    """One series for all slices."""
    PHILIPS = "philips"
    """One series, slices fastest, pixels with a rescale slope of 0.5."""
    PHILIPS_NUMBERED = "philips-numbered"
    """The same with Trigger Time empty: only the private phase number tells the phase."""
    ENHANCED = "enhanced"
    """One Enhanced MR object."""
    LEGACY_CONVERTED = "legacy-converted"
    """One Legacy Converted Enhanced MR object."""


_MANNERS: dict[Layout, Manner] = {
    Layout.GE: makers.GE,
    Layout.SIEMENS: makers.SIEMENS,
    Layout.SIEMENS_MIXED: makers.SIEMENS_MIXED,
    Layout.PHILIPS: makers.PHILIPS,
    Layout.PHILIPS_NUMBERED: makers.PHILIPS_NUMBERED,
}
_SERIES_APART = 20


def write_dicom(
    phantom: Phantom,
    folder: Path,
    layout: Layout,
    *,
    patient_id: str | None = None,
    study_uid: str | None = None,
    with_companions: bool = False,
) -> list[Path]:
    """Write `phantom` as Part 10 files, Explicit VR Little Endian; the same arguments give the same bytes.

    Args:
        phantom: what to write.
        folder: an existing folder; files of the same names are replaced.
        layout: whose manner.
        patient_id: Patient ID; PHANTOM- and the seed unless given.
        study_uid: Study Instance UID; the volume's unless given. All other UIDs follow from it.
        with_companions: also two long-axis cines and three localizers, which no reader should stack.

    Returns:
        the files in the order a scanner would send them.
    """
    examination = Examination(
        phantom=phantom,
        patient_id=patient_id or f"PHANTOM-{phantom.heart.seed:05d}",
        study_uid=study_uid or usual_study_uid(phantom.heart, phantom.scan),
        layout=layout.name,
        maker=f"Simulated ({layout.value} layout)",
    )
    views = (*(companions(phantom) if with_companions else ()), short_axis(phantom))
    written = []
    datasets = chain.from_iterable(
        _datasets(examination, layout, view, 1 + _SERIES_APART * place) for place, view in enumerate(views)
    )
    for index, dataset in enumerate(datasets, 1):
        path = folder / f"{layout.value}-{index:05d}.dcm"
        dataset.save_as(path, enforce_file_format=True)
        written.append(path)
    return written


def _datasets(examination: Examination, layout: Layout, view: View, number: int) -> Iterator[Dataset]:
    if layout is Layout.ENHANCED:
        return iter([write_enhanced(examination, view, number)])
    if layout is Layout.LEGACY_CONVERTED:
        return iter([write_legacy_converted(examination, view, number)])
    return write_view(examination, _MANNERS[layout], view, number)
