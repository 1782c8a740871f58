"""Simulated hearts on disk with attention where their scar is, for what must know anatomy."""

from pathlib import Path
from typing import Any

import numpy as np

from pipeline import Study, read_study
from pipeline.centre import Centre
from pipeline.phantom import Layout, Phantom, Scan, draw_heart, render, write_dicom
from reports import ReportContext
from tests.reports.scans import context_of, prediction

SCAN = Scan(slices=9, phases=3, matrix=(80, 72), noise=0.0)


def scarred_heart(seed: int = 3) -> Phantom:
    """A small study of a heart with scar."""
    return render(draw_heart(seed, scar=True), SCAN)


def written(phantom: Phantom, folder: Path) -> Study:
    """The study as files, read back."""
    folder.mkdir(parents=True, exist_ok=True)
    return read_study(write_dicom(phantom, folder, Layout.GE))


def heart_context(
    phantom: Phantom, study: Study, *, answer: dict[str, Any] | None = None, **changes: Any
) -> ReportContext:
    """An answer whose attention is 0.8 on the scar and 0.1 elsewhere; its fields: `answer`."""
    row, column = np.mean(phantom.truth.centres_px, axis=0)
    attention = np.where(phantom.truth.scar, 0.8, 0.1).astype(np.float32)
    given = {"attention": attention, "centre": Centre(float(row), float(column), "truth"), **(answer or {})}
    return context_of(phantom.volume, study, prediction(phantom.volume, **given), **changes)
