"""A stack and its files to one CineVolume."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from statistics import median

import numpy as np
from numpy.typing import NDArray

from pipeline.completeness import judge
from pipeline.decode import PixelReader
from pipeline.errors import IncompleteCine
from pipeline.notes import write_notes
from pipeline.planes import Plane
from pipeline.resample import Blend, blends, resample
from pipeline.stack import CineSlice, CineStack
from pipeline.stored import is_plain
from pipeline.study import Study
from pipeline.volume import CineVolume, Geometry, PlaneSource, Vector
from pipeline.voxel_memory import VoxelMemory

_FEWEST_PLANES = 2  # of a slice that is interpolated rather than left out
_TOLERANCE = 0.25  # of a phase: nearer moments are the same phase
_READERS = 2  # threads; calls of the system and casts run side by side, and two are what memory can feed


@dataclass(frozen=True, slots=True)
class _Plan:
    """How one slice gets onto the common phases."""

    slice_: CineSlice
    shares: tuple[float, ...]
    resampled: bool
    recipe: list[Blend]
    filled: tuple[int, ...]

    @property
    def trigger_ms(self) -> tuple[float, ...]:
        return tuple(share * self.slice_.beat.rr_ms for share in self.shares)

    @property
    def straight(self) -> bool:
        """Whether there is a plane for every phase, which is used as it is."""
        return not (self.resampled or self.filled)


def assemble(
    study: Study, stack: CineStack, *, allow_missing: bool, memory: VoxelMemory | None = None
) -> CineVolume:
    """Decode every plane of `stack` and put it in its place, which is in `memory`, if that is given.

    Slices of another number of phases, or whose phases lie elsewhere in the cycle, are resampled cyclically.
    With `allow_missing`, planes that did not come are interpolated in time within their slice and recorded
    in `filled`; a slice without images is left out. Either is said in `notes`.

    Raises:
        IncompleteCine: the grid has holes and `allow_missing` is False, or hardly anything came.
        UnreadableInstance: the pixels of a plane cannot be decoded; the message names slice and phase.
    """
    verdict = judge(stack)
    if not (verdict.full or allow_missing):
        raise IncompleteCine(verdict.sentence)
    slices = [slice_ for slice_ in stack.slices if len(slice_.present) >= _FEWEST_PLANES]
    if not slices:
        raise IncompleteCine(f"{verdict.sentence}; no slice has enough images")
    plans = _plans(slices, stack.phases)
    reader = PixelReader(study)
    first = slices[0].present[0].instance
    voxels = (memory or VoxelMemory()).room_for((stack.phases, len(slices), first.rows, first.columns))
    _fill(voxels, plans, reader, stack)
    filled = [(phase, index) for index, plan in enumerate(plans) for phase in plan.filled]
    return CineVolume(
        voxels=voxels,
        geometry=_geometry(slices, stack),
        trigger_ms=tuple(plan.trigger_ms for plan in plans),
        rr_ms=tuple(slice_.beat.rr_ms for slice_ in slices),
        sources=tuple(zip(*map(_sources, plans), strict=True)),
        study_instance_uid=study.uid,
        frame_of_reference_uid=stack.frame_of_reference_uid,
        filled=tuple(sorted(filled)),
        notes=write_notes(stack, slices, [plan.slice_ for plan in plans if plan.resampled], verdict.missing),
    )


def _plans(slices: Sequence[CineSlice], phases: int) -> list[_Plan]:
    whole = [slice_.beat.fractions for slice_ in slices if slice_.beat.phases == phases]
    common = tuple(median(shares) for shares in zip(*whole, strict=True))
    return [_plan(slice_, common) for slice_ in slices]


def _plan(slice_: CineSlice, common: tuple[float, ...]) -> _Plan:
    own, phases = slice_.beat.fractions, len(common)
    resampled = (
        len(own) != phases or max(abs(a - b) for a, b in zip(own, common, strict=True)) > _TOLERANCE / phases
    )
    shares = common if resampled else own
    there = [share for share, plane in zip(own, slice_.planes, strict=True) if plane is not None]
    holes = [share for share, plane in zip(own, slice_.planes, strict=True) if plane is None]
    filled = [
        phase
        for phase, share in enumerate(shares)
        if holes and min(_apart(share, hole) for hole in holes) < min(_apart(share, other) for other in there)
    ]
    return _Plan(slice_, shares, resampled, blends(there, shares), tuple(filled))


def _apart(a: float, b: float) -> float:
    """Distance of two shares of a cycle, round its end."""
    return abs((a - b + 0.5) % 1.0 - 0.5)


def _fill(voxels: NDArray[np.float32], plans: Sequence[_Plan], reader: PixelReader, stack: CineStack) -> None:
    """Read every plane to (phase, slice): phase by phase, as they lie in memory, where nothing is decoded."""
    swift = []
    for index, plan in enumerate(plans):
        if plan.straight and all(is_plain(plane.instance) for plane in plan.slice_.present):
            swift.append(index)
        else:
            _fill_slice(voxels[:, index], plan, reader, stack.orientation)

    def fill_phase(phase: int) -> None:
        for index in swift:
            _read(plans[index].slice_, phase, reader, stack.orientation, voxels[phase, index])

    with ThreadPoolExecutor(_READERS) as readers:
        list(readers.map(fill_phase, range(stack.phases)))


def _fill_slice(
    target: NDArray[np.float32], plan: _Plan, reader: PixelReader, orientation: tuple[float, ...]
) -> None:
    """Read a slice's planes into (phase, row, column), by way of its own phases where these are others."""
    there = [phase for phase, plane in enumerate(plan.slice_.planes) if plane is not None]
    planes = target if plan.straight else np.empty((len(there), *target.shape[1:]), np.float32)
    for out, phase in zip(planes, there, strict=True):
        _read(plan.slice_, phase, reader, orientation, out)
    if not plan.straight:
        target[:] = resample(planes, plan.recipe)


def _read(
    slice_: CineSlice,
    phase: int,
    reader: PixelReader,
    orientation: tuple[float, ...],
    out: NDArray[np.float32],
) -> None:
    """The plane of one phase (from 0) into `out` (row, column), turned as `orientation` counts."""
    plane = slice_.planes[phase]
    assert plane is not None
    down, right = flips(plane.frame.orientation, orientation)
    turned = out[:: -1 if down else 1, :: -1 if right else 1]
    reader.read(plane, f"slice {slice_.number}, phase {phase + 1}", turned)


@lru_cache(maxsize=1024)
def flips(own: tuple[float, ...], orientation: tuple[float, ...]) -> tuple[bool, bool]:
    """Whether rows, and columns, of a plane are counted from the other end than `orientation` counts them.

    Kept, for the planes of a stack share one answer, or two.
    """
    return bool(np.dot(own[3:], orientation[3:]) < 0), bool(np.dot(own[:3], orientation[:3]) < 0)


def _geometry(slices: Sequence[CineSlice], stack: CineStack) -> Geometry:
    first = slices[0].present[0]
    right, down = np.asarray(stack.orientation[:3]), np.asarray(stack.orientation[3:])
    depths = [float(slice_.present[0].centre @ stack.direction) for slice_ in slices]
    distances = [b - a for a, b in pairwise(depths)]
    return Geometry(
        origins_mm=tuple(_origin(slice_.present[0], stack.orientation) for slice_ in slices),
        spacing_mm=(float(median(distances)) if distances else stack.step_mm, *first.frame.spacing_mm),
        directions=(
            stack.direction,
            _vector(down / np.linalg.norm(down)),
            _vector(right / np.linalg.norm(right)),
        ),
    )


def _origin(plane: Plane, orientation: tuple[float, ...]) -> Vector:
    """Where the first pixel lies after `flips` were undone."""
    down, right = flips(plane.frame.orientation, orientation)
    between_rows, between_columns = plane.frame.spacing_mm
    origin = np.asarray(plane.frame.position_mm)
    if down:
        origin = origin + plane.column * between_rows * (plane.instance.rows - 1)
    if right:
        origin = origin + plane.row * between_columns * (plane.instance.columns - 1)
    return _vector(origin)


def _vector(values: NDArray[np.float64]) -> Vector:
    x, y, z = values.tolist()
    return (x, y, z)


def _sources(plan: _Plan) -> list[PlaneSource]:
    """The plane nearest to each phase."""
    present = plan.slice_.present
    return [_source(present[blend.nearest]) for blend in plan.recipe]


def _source(plane: Plane) -> PlaneSource:
    instance = plane.instance
    return PlaneSource(
        sop_class_uid=instance.sop_class_uid,
        sop_instance_uid=instance.sop_instance_uid,
        series_instance_uid=instance.series_instance_uid,
        frame=plane.frame.number,
        multiframe=instance.multi_frame,
    )
