"""From parallel planes to one run of phases per slice position: repeats resolved, strangers left out."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np
from numpy.typing import NDArray

from pipeline.frames import CARDIAC_INDEX, CARDIAC_MS, INSTANCE_INDEX, TEMPORAL_INDEX
from pipeline.planes import Plane

FEWEST_PHASES = 8
SAME_POSITION_MM = 1.0

_HEARTBEAT_S = 0.4  # planes taken further apart than this were taken in different beats, one each


@dataclass(frozen=True, slots=True)
class Run:
    """The planes of one acquisition at one position, in the order of their phase, one per phase."""

    planes: tuple[Plane, ...]
    source: str
    depth_mm: float
    repeats: int = 0

    @property
    def series_uid(self) -> str:
        """The series of its planes: a run never mixes series."""
        return self.planes[0].instance.series_instance_uid

    @property
    def times(self) -> tuple[float, ...]:
        """What the time source says, growing."""
        return tuple(plane.frame.time(self.source) or 0.0 for plane in self.planes)

    @property
    def declared_phases(self) -> int | None:
        """Phases per slice as most of its planes state them."""
        stated = Counter(plane.instance.declared_phases for plane in self.planes)
        return max(stated, key=lambda count: (stated[count], count or 0))

    @property
    def kin(self) -> tuple[object, ...]:
        """What the slices of one protocol share, for telling a slice on its way from another technique."""
        instance = self.planes[0].instance
        return instance.sequence_name, self.planes[0].frame.marks, self.declared_phases

    @property
    def moment(self) -> tuple[float, int, str, int, str]:
        """Sorts later acquisitions after earlier ones, whatever order they came in."""
        last = self.planes[-1]
        latest = max((plane.frame.acquired_s or 0.0) for plane in self.planes)
        series_number, number = last.instance.series_number or 0, last.frame.acquisition_number or 0
        return latest, series_number, self.series_uid, number, last.instance.sop_instance_uid


def runs_of(group: Sequence[Plane], direction: NDArray[np.float64]) -> tuple[list[Run], Counter[str]]:
    """Every run of a group of parallel planes, and what was left out for which reason.

    `direction` is the unit vector along which depth is measured.
    """
    strands: dict[tuple[str, str], list[Plane]] = defaultdict(list)
    for plane in group:
        strands[plane.instance.series_instance_uid, plane.instance.sequence_name].append(plane)
    found: list[Run] = []
    left_out: Counter[str] = Counter()
    for strand in strands.values():
        for cell in cluster(strand, direction):
            source = _time_source(cell)
            for part in _acquisitions(cell):
                reason = _why_not_beating(part, source)
                if reason:
                    left_out[reason] += len(part)
                else:
                    found.append(_run(part, source, direction))
    return _without_strangers(found, left_out), left_out


def cluster(planes: Iterable[Plane], direction: NDArray[np.float64]) -> list[list[Plane]]:
    """Planes within a millimetre of each other along `direction`, nearest first along it."""
    cells: list[list[Plane]] = []
    start = -np.inf
    for depth, plane in sorted(((float(p.centre @ direction), p) for p in planes), key=lambda pair: pair[0]):
        if depth - start > SAME_POSITION_MM:
            cells.append([])
            start = depth
        cells[-1].append(plane)
    return cells


def best_runs(runs: Sequence[Run]) -> list[Run]:
    """One run per position: the most complete, then the later one; in the order of their depth."""
    wanted = usual_length(runs)
    cells: list[list[Run]] = []
    for run in sorted(runs, key=lambda run: (run.depth_mm, run.moment)):
        if not cells or run.depth_mm - cells[-1][0].depth_mm > SAME_POSITION_MM:
            cells.append([])
        cells[-1].append(run)
    return [max(cell, key=lambda run: (min(len(run.planes), wanted), run.moment)) for cell in cells]


def usual_length(runs: Sequence[Run]) -> int:
    """The number of phases most runs have; the larger one of two equally frequent."""
    counts = Counter(len(run.planes) for run in runs)
    return max(counts, key=lambda length: (length >= FEWEST_PHASES, counts[length], length))


def _acquisitions(cell: Sequence[Plane]) -> list[list[Plane]]:
    """The planes of one position in one series, split where the slice was taken again.

    Acquisition Number and Acquisition Time count phases on some scanners, so a split must leave at least
    one part that could be a whole beat, and there must be more planes than one beat is said to have.
    """
    stated = max((plane.instance.declared_phases or 0) for plane in cell)
    if len(cell) <= max(stated, FEWEST_PHASES):
        return [list(cell)]
    for parts in (_split(cell, "acquisition_number"), _split(cell, "acquired_s")):
        if len(parts) > 1 and max(map(len, parts)) >= FEWEST_PHASES:
            return parts
    return [list(cell)]


def _split(cell: Sequence[Plane], attribute: str) -> list[list[Plane]]:
    parts: dict[object, list[Plane]] = defaultdict(list)
    for plane in cell:
        parts[getattr(plane.frame, attribute)].append(plane)
    return list(parts.values())


def _time_source(planes: Sequence[Plane]) -> str:
    """The tag that tells the phases apart: a cardiac clock before a count of images.

    A clock that stands still while images come is no beat, so the counts are only asked where no clock
    runs; a clock that says 0 throughout was never set.
    """
    by_source = {}
    for source in (*CARDIAC_MS, *CARDIAC_INDEX, *TEMPORAL_INDEX, *INSTANCE_INDEX):
        said = {plane.frame.time(source) for plane in planes}
        if None not in said:
            by_source[source] = {round(value, 3) for value in said if value is not None}
    cardiac = [source for source in (*CARDIAC_MS, *CARDIAC_INDEX) if by_source.get(source, {0.0}) != {0.0}]
    for sources in (cardiac, TEMPORAL_INDEX, INSTANCE_INDEX):
        present = [source for source in sources if source in by_source]
        if present:
            return max(present, key=lambda source: (len(by_source[source]), -present.index(source)))
    return ""


def _why_not_beating(planes: Sequence[Plane], source: str) -> str:
    """The kind of a series whose planes differ by something else than the phase of the beat."""
    if not source:
        return "images without any order in time"
    return _why_no_phases(planes, source) if len(planes) >= FEWEST_PHASES else ""


def _why_no_phases(planes: Sequence[Plane], source: str) -> str:
    if len({plane.frame.time(source) for plane in planes}) == 1:
        return "images of one phase"
    if _varies(planes, "inversion_ms") or _varies(planes, "echo_ms"):
        return "mapping"
    moments = sorted({plane.frame.acquired_s for plane in planes if plane.frame.acquired_s is not None})
    if len(moments) >= FEWEST_PHASES and median(np.diff(moments).tolist()) > _HEARTBEAT_S:
        return "one image per heartbeat"
    return ""


def _varies(planes: Sequence[Plane], attribute: str) -> bool:
    return len({getattr(plane.frame, attribute) for plane in planes} - {None}) >= FEWEST_PHASES // 2


def _run(planes: Sequence[Plane], source: str, direction: NDArray[np.float64]) -> Run:
    """Sorted by time; of two planes of one time, the later one."""
    latest: dict[float, Plane] = {}
    for plane in sorted(planes, key=_recency):
        latest[round(plane.frame.time(source) or 0.0, 3)] = plane
    ordered = tuple(latest[time] for time in sorted(latest))
    depth = median(float(plane.centre @ direction) for plane in ordered)
    return Run(ordered, source, depth, repeats=len(planes) - len(ordered))


def _recency(plane: Plane) -> tuple[float, int, str, int]:
    instance, frame = plane.instance, plane.frame
    return frame.acquired_s or 0.0, instance.instance_number or 0, instance.sop_instance_uid, frame.number


def _without_strangers(runs: list[Run], left_out: Counter[str]) -> list[Run]:
    """Short runs stay only where they could be a slice of a cine that is still on its way."""
    beating = [run for run in runs if len(run.planes) >= FEWEST_PHASES]
    if not beating:
        return runs
    series = {run.series_uid for run in beating}
    kin = {run.kin for run in beating}
    kept = []
    for run in runs:
        if len(run.planes) >= FEWEST_PHASES or run.series_uid in series or run.kin in kin:
            kept.append(run)
        else:
            left_out["images of another technique"] += len(run.planes)
    return kept
