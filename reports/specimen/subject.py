"""A small simulated study with a made-up answer, in memory: what the specimens are written from."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.uid import EnhancedMRImageStorage, MRImageStorage

from models import Method, ModelIdentity, Prediction
from pipeline import CineVolume, PlaneSource, Study
from pipeline.facts import facts_of
from pipeline.phantom import Scan, draw_heart, render
from pipeline.reading import Header
from pipeline.study import Instance
from reports.charset import text_of
from reports.context import Equipment, InputQuality, PriorReport, ReportContext, stable_uid
from reports.options import ReportOptions
from reports.refusal import NoticeContext, Refusal
from reports.specimen.headers import filled_header, sparse_header
from reports.sr_class import SR_CLASSES

_SCANS: Final = (
    Scan(slices=6, phases=3, matrix=(48, 48), spacing_mm=4.0, subplanes=1),
    Scan(slices=7, phases=4, matrix=(56, 40), spacing_mm=3.75, slice_distance_mm=9.5, subplanes=1),
)
_NOW: Final = datetime(2001, 2, 3, 4, 5, 6, tzinfo=UTC)
_LATER: Final = datetime(2011, 12, 13, 14, 15, 16, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Subject:
    """Which of two choices is taken, 0 or 1, of everything a report can depend on.

    `source` is the scanned person with study, scanner and images; `enhanced` makes those one multi-frame
    image; `sparse` takes everything from the header that can be missing; `placed` is whether it has a frame
    of reference; `mapped` is whether the model gave a map; `replaced` how many reports of ours the new one
    supersedes.
    There is a third `answer`, 2, and a third `method` of explaining it.
    """

    source: int = 0
    equipment: int = 0
    version: int = 0
    model: int = 0
    answer: int = 0
    method: int = 0
    clock: int = 0
    enhanced: bool = False
    sparse: bool = False
    placed: bool = True
    mapped: bool = True
    replaced: int = 1
    options: ReportOptions = ReportOptions()

    def context(self) -> ReportContext:
        """The report's context."""
        volume = self._volume()
        return ReportContext(
            study=self._study(volume),
            volume=volume,
            prediction=self._prediction(volume),
            quality=_QUALITIES[self.answer],
            equipment=self._equipment(),
            now=_LATER if self.clock else _NOW,
            priors=tuple(_prior(number, self.source) for number in range(self.replaced)),
            options=self.options,
            config_sha256=f"{self.equipment:064x}",
        )

    def notice(self) -> NoticeContext:
        """The context of the notice, had the study not been analysed."""
        report = self.context()
        first = report.volume.sources[0]
        return NoticeContext(
            study=report.study,
            images=first[:1] if self.enhanced else first,
            refusal=_REFUSALS[self.answer],
            equipment=report.equipment,
            now=report.now,
            priors=report.priors,
            config_sha256=report.config_sha256,
        )

    def _volume(self) -> CineVolume:
        rendered = _rendered(self.source)
        phases, slices = rendered.voxels.shape[:2]
        return replace(
            rendered,
            sources=tuple(tuple(self._plane(p, k, phases) for k in range(slices)) for p in range(phases)),
            study_instance_uid=self._uid("study"),
            frame_of_reference_uid=self._uid("frame of reference") if self.placed else "",
            notes=("A note.",),
        )

    def _plane(self, phase: int, slice_: int, phases: int) -> PlaneSource:
        series = self._uid("series")
        if self.enhanced:
            frame = 1 + slice_ * phases + phase
            return PlaneSource(EnhancedMRImageStorage, self._uid("image"), series, frame, multiframe=True)
        return PlaneSource(MRImageStorage, self._uid("image", str(phase), str(slice_)), series)

    def _study(self, volume: CineVolume) -> Study:
        planes = {plane.sop_instance_uid: (plane, k) for row in volume.sources for k, plane in enumerate(row)}
        instances = [self._instance(volume, plane, slice_) for plane, slice_ in planes.values()]
        return Study(volume.study_instance_uid, tuple(instances))

    def _instance(self, volume: CineVolume, plane: PlaneSource, slice_: int) -> Instance:
        header = filled_header(self.source)
        header = sparse_header(header) if self.sparse else header
        header.SOPClassUID, header.SOPInstanceUID = plane.sop_class_uid, plane.sop_instance_uid
        header.StudyInstanceUID, header.SeriesInstanceUID = (
            volume.study_instance_uid,
            plane.series_instance_uid,
        )
        if self.placed:
            header.FrameOfReferenceUID = volume.frame_of_reference_uid
        header.Modality = "MR"
        header.Rows, header.Columns = volume.voxels.shape[2:]
        _place(header, volume, slice_)
        return Instance(Path(), facts_of(Header(header, 0, 0, encapsulated=False, file_size=0)), header)

    def _prediction(self, volume: CineVolume) -> Prediction:
        return Prediction(
            model=_MODELS[self.model],
            probability=(0.875, 0.125, 0.25)[self.answer],
            threshold=(0.5, 0.375, 0.5)[self.answer],
            attention=_attention(volume.voxels.shape, self.answer) if self.mapped else None,
            attention_method="How the map was made." if self.mapped else "",
            notes=("A remark.",) * (1 + self.answer),
            explained_by=tuple(Method)[self.method],
        )

    def _equipment(self) -> Equipment:
        site = "AB"[self.equipment]
        return Equipment(
            f"Maker {site}",
            "dicom-node",
            ("0.0.1", "0.0.2")[self.version],
            f"Serial {site}",
            f"STATION {site}",
        )

    def _uid(self, *role: str) -> str:
        return stable_uid("specimen", "AB"[self.source], *role)


_QUALITIES: Final = (
    InputQuality("6 slices x 3 phases"),
    InputQuality("5 slices x 3 phases", ("One slice is missing.",), limited=True),
    InputQuality("6 slices x 3 phases"),
)
_REFUSALS: Final = (Refusal("no_cine"), Refusal("incomplete", "2 slices lack phases"), Refusal("fault"))
_MODELS: Final = (
    ModelIdentity("Net A", "1.0.0", "stran", "ab" * 32, "cd" * 32, "Scar", "Trained on A.", False),
    ModelIdentity("Net B", "2.0.0", "stran", "ef" * 32, "01" * 32, "Scar", "Trained on B.", True),
)


@lru_cache(maxsize=2)
def _rendered(source: int) -> CineVolume:
    return render(draw_heart(source + 1), _SCANS[source]).volume


def _attention(shape: tuple[int, ...], answer: int) -> NDArray[np.float32]:
    """A blob with its peak of 1 beside the centre of the stack, elsewhere for the other answer."""
    peak = [size // 2 - answer for size in shape]
    grid = np.ogrid[tuple(slice(size) for size in shape)]
    widths = (2.0, 2.0, 6.0, 6.0)
    distance = sum(((g - p) / w) ** 2 for g, p, w in zip(grid, peak, widths, strict=True))
    blob: NDArray[np.float32] = np.exp(-np.asarray(distance)).astype(np.float32)
    return blob


def _place(header: Dataset, volume: CineVolume, slice_: int) -> None:
    """What a single-frame image says of its plane (PS3.3 C.7.6.2); harmless beside functional groups."""
    _, down, right = volume.geometry.directions
    header.ImagePositionPatient = [f"{x:.6f}" for x in volume.geometry.origins_mm[slice_]]
    header.ImageOrientationPatient = [f"{x:.6f}" for x in (*right, *down)]
    header.PixelSpacing = [f"{x:.6f}" for x in volume.geometry.spacing_mm[1:]]


def _prior(number: int, source: int) -> PriorReport:
    name = f"{number} {source}"
    return PriorReport(str(SR_CLASSES[0]), stable_uid("prior", name), stable_uid("prior series", name))


def written_values(context: ReportContext) -> frozenset[str]:
    """Every single value that the source of a context states, and its predecessors' UIDs.

    Not the small numbers: that an index, too, stands somewhere in a header does not make it a copy.
    """
    values = {value for instance in context.study.instances for value in _values(instance.header)}
    priors = {uid for prior in context.priors for uid in (prior.sop_instance_uid, prior.series_instance_uid)}
    return frozenset({value for value in values if not (value.isdecimal() and len(value) < 4)} | priors)


def _values(header: Dataset) -> set[str]:
    values: set[str] = set()
    for element in header:
        if element.VR != "SQ":
            values |= {text_of(header, element.keyword), *text_of(header, element.keyword).split("\\")}
    return values
