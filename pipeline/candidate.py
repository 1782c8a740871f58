"""Stacks that could be the short-axis cine, and how much speaks for each."""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

import numpy as np
from numpy.typing import NDArray

from pipeline.acquisition import FEWEST_PHASES, SAME_POSITION_MM, Run, best_runs, runs_of, usual_length
from pipeline.planes import (
    Plane,
    commonest_orientation,
    is_other_view_by_name,
    is_short_axis_by_name,
    normal_of,
)

FEWEST_SLICES = 3

_USUAL_SLICES = 5
_FARTHEST_STEPS = 20  # what lies farther is no neighbour with slices missing between
_USUAL_ANGLE = 40.0


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """Parallel slices of one beat, basal first.

    Attributes:
        runs: one per position.
        orientation: the row and column directions most planes have.
        direction: unit vector from the base to the apex, along the normal.
        usual: how many phases most of the runs have.
        angle_deg: between the normal and the long axis of the left ventricle.
        step_mm: median distance of the positions; 0 with one slice.
        left_out: what else lay in these planes, counted in images.
        repeats: images that came twice.
        retakes: positions that were taken more than once.
    """

    runs: tuple[Run, ...]
    orientation: tuple[float, ...]
    direction: NDArray[np.float64]
    usual: int
    angle_deg: float
    step_mm: float
    left_out: Counter[str]
    repeats: int
    retakes: int

    @property
    def gaps(self) -> tuple[int, ...]:
        """How many steps lie between each slice and the next; more than 1 where slices are missing."""
        depths = [run.depth_mm for run in self.runs]
        return tuple(_steps(b - a, self.step_mm) for a, b in pairwise(depths))

    @property
    def regular(self) -> bool:
        """Whether every distance is a multiple of the step: two interleaved stacks are not."""
        depths = [run.depth_mm for run in self.runs]
        steps = [(b - a) / self.step_mm for a, b in pairwise(depths)]
        return all(abs(step - round(step)) <= 0.25 and round(step) >= 1 for step in steps)

    @property
    def score(self) -> float:
        """Geometry first; a description adds or takes away."""
        first = self.runs[0].planes[0].instance
        whole = all(len(run.planes) == self.usual for run in self.runs) and set(self.gaps) <= {1}
        return (
            2.0 * (len(self.runs) >= _USUAL_SLICES)
            + 2.0 * (self.angle_deg < _USUAL_ANGLE)
            + 1.0 * is_short_axis_by_name(first)
            + 1.0 * whole
            - 3.0 * is_other_view_by_name(first)
            - 2.0 * (not self.regular)
        )

    @property
    def rank(self) -> tuple[float, int, tuple[object, ...]]:
        """Sorts the best candidate last, whatever order the images came in."""
        size = sum(len(run.planes) for run in self.runs)
        return self.score, size, max(run.moment for run in self.runs)

    @property
    def possible(self) -> bool:
        """Whether there are slices and phases enough to be a beating short-axis stack."""
        return len(self.runs) >= FEWEST_SLICES and self.usual >= FEWEST_PHASES

    @property
    def sentence(self) -> str:
        """What it is, for the reader."""
        description = self.runs[0].planes[0].instance.series_description
        name = f' "{description}"' if description else ""
        size = f"{len(self.runs)} x {self.usual} (slices x phases)"
        return f"{size}{name}, {self.angle_deg:.0f}° from the short axis"


def candidates(group: Sequence[Plane], axis: NDArray[np.float64]) -> list[Candidate]:
    """What a group of parallel planes could be: all of it, or one of its series or coordinate systems."""
    orientation = commonest_orientation(group)
    normal = normal_of(orientation)
    frame = _Frame(orientation, normal if normal @ axis > 0 else -normal, axis)
    runs, left_out = runs_of(group, frame.direction)
    if not runs:
        return []
    found = [_candidate(part, frame, left_out) for part in _coordinate_systems(runs)]
    for candidate in tuple(found):
        if candidate.possible and not candidate.regular:
            found += [_candidate(part, frame, left_out) for part in _stacks_of_one_series(candidate)]
    return found


@dataclass(frozen=True, slots=True, eq=False)
class _Frame:
    orientation: tuple[float, ...]
    direction: NDArray[np.float64]
    axis: NDArray[np.float64]


def _candidate(runs: Sequence[Run], frame: _Frame, left_out: Counter[str]) -> Candidate:
    best = best_runs(runs)
    depths = [run.depth_mm for run in best]
    distances = [b - a for a, b in pairwise(depths)]
    return Candidate(
        runs=tuple(best),
        orientation=frame.orientation,
        direction=frame.direction,
        usual=usual_length(best),
        angle_deg=math.degrees(math.acos(min(1.0, abs(float(frame.direction @ frame.axis))))),
        step_mm=float(median(distances)) if distances else 0.0,
        left_out=left_out,
        repeats=sum(run.repeats for run in best),
        retakes=sum(len(cell) > 1 for cell in _cells(runs)),
    )


def _cells(runs: Sequence[Run]) -> Iterator[list[Run]]:
    cell: list[Run] = []
    for run in sorted(runs, key=lambda run: run.depth_mm):
        if cell and run.depth_mm - cell[0].depth_mm > SAME_POSITION_MM:
            yield cell
            cell = []
        cell.append(run)
    yield cell


def _coordinate_systems(runs: Sequence[Run]) -> list[list[Run]]:
    """Runs by Frame of Reference UID (PS3.3 C.7.4.1.1.1), where that says anything.

    Anonymisers give every file its own; and a scanner that renews it between slices has not moved the
    patient. So it only parts what are stacks by themselves.
    """
    by_frame: dict[str, list[Run]] = {}
    for run in runs:
        by_frame.setdefault(frame_of_reference(run), []).append(run)
    stacks = [part for part in by_frame.values() if len(list(_cells(part))) >= FEWEST_SLICES]
    return [list(runs)] if "" in by_frame or len(stacks) < 2 else stacks


def frame_of_reference(run: Run) -> str:
    """The one Frame of Reference UID of a run; empty if its planes disagree."""
    uids = {plane.instance.frame_of_reference_uid for plane in run.planes}
    return uids.pop() if len(uids) == 1 else ""


def _stacks_of_one_series(candidate: Candidate) -> list[list[Run]]:
    """Series that are a stack by themselves: two of them, planned differently, do not make one stack."""
    by_series: dict[str, list[Run]] = {}
    for run in candidate.runs:
        by_series.setdefault(run.series_uid, []).append(run)
    parts = [part for part in by_series.values() if len(part) >= FEWEST_SLICES]
    return parts if len(by_series) > 1 else []


def _steps(distance_mm: float, step_mm: float) -> int:
    ratio = distance_mm / step_mm
    near = round(ratio)
    if near > _FARTHEST_STEPS:
        return 1
    return max(1, near if abs(ratio - near) <= 0.3 else math.floor(ratio))
