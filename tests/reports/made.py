"""Everything that is made of a study, with every option on, saved as files."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from pydicom import dcmread
from pydicom.dataset import Dataset

from pipeline import InstanceFacts, Study, assemble, find_stack, judge, read_study
from reports import AttentionImages, ExtraObject, InputQuality, ReportOptions, build_reports
from tests.reports.scans import attention_at, context_of, model, prediction

PEAK = 3, 1
"""Phase and slice of the made-up attention's peak, from 0; it lies in the middle of the image."""
LIMIT = "One sentence on what limits the input."


@dataclass(frozen=True, slots=True)
class Made:
    """A study's objects; `kinds` and `headers` (all but the pixels) in the order of `files`.

    `grid` is phases x slices, `stack` the images of the volume, `peak_mm` where the attention's peak lies.
    """

    study: Study
    stack: tuple[str, ...]
    kinds: tuple[str, ...]
    files: tuple[Path, ...]
    headers: tuple[Dataset, ...]
    grid: tuple[int, int]
    peak_mm: tuple[float, float, float]

    @property
    def source(self) -> Dataset:
        """The header of an image of the stack."""
        return self.study.header_of(self.stack[0])

    @property
    def source_file(self) -> Path:
        """The file of that image."""
        return self.study.instance_of(self.stack[0]).path

    def documents(self) -> list[tuple[Path, Dataset]]:
        """The objects that are content trees: reports and key object selections."""
        read = zip(self.files, self.headers, strict=True)
        return [(path, dataset) for path, dataset in read if "ContentSequence" in dataset]

    @property
    def report_file(self) -> Path:
        """The file of the TID 1500 report."""
        return self.files[self.kinds.index("sr")]

    @property
    def report(self) -> Dataset:
        """The TID 1500 report, as read from its file."""
        return self.headers[self.kinds.index("sr")]

    @property
    def invalid_uids(self) -> set[str]:
        """The source's own UIDs with a leading zero in a component: copied verbatim, or nothing would attach."""
        found = {uid for facts in self.study.facts for uid in _uids(facts)}
        return {uid for uid in found if any(len(part) > 1 and part[0] == "0" for part in uid.split("."))}


def everything(images: AttentionImages = "key_phase") -> ReportOptions:
    """Every object a site can ask for."""
    return ReportOptions(attention_images=images, extra_objects=get_args(ExtraObject))


def make(paths: Iterable[Path], folder: Path, images: AttentionImages = "key_phase") -> Made:
    """Read a study, report a made-up answer on it, and save every object in `folder`."""
    study = read_study(paths)
    stack = find_stack(study.facts)
    volume = assemble(study, stack, allow_missing=False)
    phases, slices, rows, columns = volume.voxels.shape
    attention = attention_at(volume, *PEAK, rows // 2, columns // 2)
    context = context_of(
        volume,
        study,
        prediction(volume, attention=attention, model=model(demonstration=True)),
        quality=InputQuality(judge(stack).sentence, (LIMIT,), limited=True),
        options=everything(images),
    )
    kinds, files = [], []
    for number, report in enumerate(build_reports(context)):
        kinds.append(report.kind)
        files.append(folder / f"{number:02d}-{report.kind}.dcm")
        report.dataset.save_as(files[-1], enforce_file_format=True)
    cited = {plane.sop_instance_uid: None for phase in volume.sources for plane in phase}
    headers = tuple(dcmread(path, stop_before_pixels=True) for path in files)
    return Made(
        study=study,
        stack=tuple(cited),
        kinds=tuple(kinds),
        files=tuple(files),
        headers=headers,
        grid=(phases, slices),
        peak_mm=volume.geometry.position_mm(PEAK[1], rows // 2, columns // 2),
    )


def _uids(facts: InstanceFacts) -> tuple[str, ...]:
    return (
        facts.study_instance_uid,
        facts.series_instance_uid,
        facts.sop_instance_uid,
        facts.frame_of_reference_uid,
    )
