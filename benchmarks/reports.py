"""What a result costs to build.

12 x 25 images of 256 x 256. Plain highdicom builds one TID 1500 SR, as its documentation shows it; ours is
the SR, the summary page and 12 overlays. Both cite the same images.
"""

import io
import statistics
import tempfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset

from benchmarks.bars import Bar
from benchmarks.plain_sr import plain_sr
from benchmarks.timing import timed
from benchmarks.tree import Brake
from models import ModelIdentity, Prediction
from pipeline import CineVolume, assemble, find_stack, read_study
from pipeline.centre import Centre
from pipeline.phantom import Layout, Scan, draw_heart, render, write_dicom
from reports import Equipment, InputQuality, ReportContext, ReportOptions, build_reports

BRAKE = Brake("reports/build.py", "build_reports", 1.0)
_RUNS = 7
_SCAN = Scan(slices=12, phases=25, matrix=(256, 256), spacing_mm=1.4)


def measure() -> list[Bar]:
    """Both forms of our report against half a second, and against plain highdicom."""
    with tempfile.TemporaryDirectory() as folder:
        context = _context(Path(folder))
    measured = replace(context, options=ReportOptions(form="measurements"))
    sources = [plane for phase in context.volume.sources for plane in phase]
    headers = [context.study.header_of(plane.sop_instance_uid) for plane in sources]
    ways = {
        "plain": lambda: plain_sr(headers),
        "bare": lambda: plain_sr(headers, library=False),
        "ours": lambda: build_reports(measured),
        "both": lambda: build_reports(context),
    }
    taken = timed(ways, _RUNS)
    ours, plain_kb = _kilobytes(build_reports(context)[0].dataset), _kilobytes(plain_sr(headers))
    size = f"the SR is {ours:.0f} kB, highdicom's {plain_kb:.0f} kB, which repeats every image's descriptors"
    bare = f"highdicom without its image library: {statistics.median(taken['bare']):.3f} s, for the SR alone"
    page, limit = "SR, page and 12 overlays", "half a second"
    return [
        Bar(page, limit, "s", taken["ours"], (1.0,), 0.5, "lower"),
        Bar("the same and the text report", limit, "s", taken["both"], (1.0,), 0.5, "lower", size),
        Bar(page, "plain highdicom", "s", taken["ours"], taken["plain"], 1.0, "lower", bare),
    ]


def _context(folder: Path) -> ReportContext:
    """A simulated study, read back, with a made-up answer."""
    study = read_study(write_dicom(render(draw_heart(7, scar=True), _SCAN), folder, Layout.GE))
    volume = assemble(study, find_stack(study.facts), allow_missing=False)
    return ReportContext(
        study=study,
        volume=volume,
        prediction=_prediction(volume),
        quality=InputQuality(f"{_SCAN.slices} slices x {_SCAN.phases} phases, complete"),
        equipment=Equipment("dicom-node project", "dicom-node", "0", "0", "BENCHMARK"),
        now=datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC),
    )


def _prediction(volume: CineVolume) -> Prediction:
    model = ModelIdentity("ST-RAN", "0", "stran", "ab" * 32, "cd" * 32, "Scar", "Trained on nothing.", True)
    middle = [(np.arange(n) - n / 2) / n for n in volume.voxels.shape]
    distance = sum(axis**2 for axis in np.meshgrid(*middle, indexing="ij", sparse=True))
    attention = np.exp(-60.0 * distance).astype(np.float32)
    centre = Centre(volume.voxels.shape[2] / 2, volume.voxels.shape[3] / 2, "made up")
    return Prediction(model, 0.873, 0.5, attention, "Made up.", centre=centre)


def _kilobytes(dataset: Dataset) -> float:
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return len(buffer.getvalue()) / 1000
