"""Our results on a study, with a made-up answer whose attention lies in the heart."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydicom import dcmread
from pydicom.dataset import Dataset

from pipeline import assemble, find_stack, judge, read_study
from pipeline.centre import heart_centre
from pipeline.phantom import Layout, Scan, draw_heart, render, write_dicom
from reports import InputQuality, build_reports
from tests.reports.scans import attention_at, context_of, model, prediction

_SMALL = Scan(slices=6, phases=8, matrix=(96, 96))


@dataclass(frozen=True, slots=True)
class Results:
    """What was made of a study, saved: `sources` are its images, `made` our objects by their kinds.

    `name` is that of the folder they lie in.
    """

    name: str
    sources: list[Path]
    made: list[tuple[str, Path]]

    @property
    def files(self) -> list[Path]:
        """All of them, in the order they are sent."""
        return [*self.sources, *(path for _, path in self.made)]

    @property
    def headers(self) -> list[Dataset]:
        """The headers of all files."""
        return [dcmread(path, stop_before_pixels=True) for path in self.files]

    def of_kind(self, kind: str) -> list[Dataset]:
        """The objects of a kind, read."""
        return [dcmread(path) for one, path in self.made if one == kind]


def results_of(sources: list[Path], folder: Path, probability: float = 0.873, **changes: Any) -> Results:
    """Reports on the images in `sources`, saved to `folder`; `changes` are of the report's context."""
    folder.mkdir(parents=True, exist_ok=True)
    study = read_study(sources)
    stack = find_stack(study.facts)
    volume = assemble(study, stack, allow_missing=False)
    centre = heart_centre(volume, study)
    phases, slices = volume.voxels.shape[:2]
    attention = attention_at(
        volume, phases // 3, slices // 2, round(centre.row) - 6, round(centre.column) + 8
    )
    answer = prediction(volume, probability, attention=attention, model=model(demonstration=True))
    context = context_of(volume, study, answer, quality=InputQuality(judge(stack).sentence), **changes)
    made = []
    for number, report in enumerate(build_reports(context)):
        path = folder / f"{number:02d}-{report.kind}.dcm"
        report.dataset.save_as(path, enforce_file_format=True)
        made.append((report.kind, path))
    return Results(folder.name, sources, made)


def phantom(folder: Path, layout: Layout = Layout.SIEMENS) -> list[Path]:
    """A small simulated study, one series per slice unless another layout is wanted."""
    folder.mkdir(parents=True, exist_ok=True)
    return write_dicom(render(draw_heart(3, scar=True), _SMALL), folder, layout)
