"""The short-axis cine of a study, found by geometry across its series."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.acquisition import FEWEST_PHASES
from pipeline.candidate import FEWEST_SLICES, Candidate, candidates, frame_of_reference
from pipeline.cycle import Beat, beats_of
from pipeline.errors import ContradictoryStudy, NoCine
from pipeline.facts import InstanceFacts
from pipeline.planes import Plane, is_other_view_by_name, long_axis, parallel_groups
from pipeline.selection import flow_series, why_not_cine
from pipeline.volume import Vector

_MOST_VOXELS = 2**28  # 1 GiB of float32
_MOST_PHASES = 500


@dataclass(frozen=True, slots=True)
class CineSlice:
    """One slice position.

    Attributes:
        number: counts from 1 at the base; missing slices between two others are counted, too.
        planes: one per phase of this slice's own cycle; None where no image came.
        beat: its clock.
    """

    number: int
    planes: tuple[Plane | None, ...]
    beat: Beat

    @property
    def present(self) -> tuple[Plane, ...]:
        """The planes that came, in the order of their phase."""
        return tuple(plane for plane in self.planes if plane is not None)


@dataclass(frozen=True, slots=True)
class CineStack:
    """Parallel slices of one beating heart, basal first.

    Attributes:
        slices: those with at least one image.
        phases: of the grid; single slices may have more or fewer and are resampled.
        missing: numbers of the slices that are missing between two others.
        step_mm: median distance of the slice positions.
        direction: unit vector from the base to the apex (LPS).
        orientation: the row and column directions most planes have (LPS).
        declared_slices: what a tag states, if one does.
        whole_object: whether one multi-frame file holds all the slices.
        declared_images: what Images in Acquisition states, if all slices come from one series.
        evidence: sentences on what was seen, believed and left out.
    """

    slices: tuple[CineSlice, ...]
    phases: int
    missing: tuple[int, ...]
    step_mm: float
    direction: Vector
    orientation: tuple[float, ...]
    declared_slices: int | None
    whole_object: bool
    declared_images: int | None
    frame_of_reference_uid: str
    lossy: bool
    evidence: tuple[str, ...]

    @property
    def planes(self) -> tuple[Plane, ...]:
        """Every plane that came."""
        return tuple(plane for slice_ in self.slices for plane in slice_.present)


def find_stack(instances: Sequence[InstanceFacts]) -> CineStack:
    """The best short-axis cine among the files of one study, in any order and with any company.

    Where a SOP Instance UID comes twice, the later entry counts.

    Raises:
        NoCine: there is none; the sentence says what there is instead.
        ContradictoryStudy: the planes of the stack name two patients.
    """
    unique = list({instance.sop_instance_uid: instance for instance in instances}.values())
    planes, others, derived = _cine_planes(unique)
    axis, how = long_axis(planes)
    found = [candidate for group in parallel_groups(planes) for candidate in candidates(group, axis)]
    if derived and not any(candidate.possible for candidate in found):
        found = [candidate for group in parallel_groups(derived) for candidate in candidates(group, axis)]
        others["image marked DERIVED, used for want of an original"] += len(derived)
    found.sort(key=lambda candidate: candidate.rank)
    if not found or not found[-1].possible or _is_other_view(found[-1]):
        raise NoCine(_why_none(found, others, unique))
    best = found[-1]
    _one_patient(best)
    _reasonable(best)
    evidence = (f"{best.sentence} by the {how}", *_evidence(best, found[:-1], others, unique))
    return _stack(best, evidence)


def _cine_planes(instances: Sequence[InstanceFacts]) -> tuple[list[Plane], Counter[str], list[Plane]]:
    """Planes that may be cine, what the others are, and derived planes of the examination itself."""
    flow = flow_series(instances)
    planes, derived = [], []
    others: Counter[str] = Counter()
    for instance in instances:
        for frame in instance.frames:
            kind = why_not_cine(instance, frame)
            if not kind and instance.series_instance_uid in flow:
                kind = "flow or phase image"
            if not kind:
                planes.append(Plane(instance, frame))
            elif kind == "derived image" and "PRIMARY" in frame.marks:
                derived.append(Plane(instance, frame))
            others[kind] += 1
    del others[""]
    return planes, others, derived


def _is_other_view(candidate: Candidate) -> bool:
    return all(is_other_view_by_name(run.planes[0].instance) for run in candidate.runs)


def _why_none(found: Sequence[Candidate], others: Counter[str], instances: Sequence[InstanceFacts]) -> str:
    """One sentence: the nearest thing to a cine, or what there is instead."""
    if found:
        best = max(found, key=lambda candidate: (len(candidate.runs) * candidate.usual, candidate.rank))
        slices, phases = len(best.runs), best.usual
        if phases < FEWEST_PHASES:
            size = f"{_count(slices, 'slice')} x {_count(phases, 'phase')}"
            return f"No short-axis cine: the best stack is {size}, at least {FEWEST_PHASES} phases are needed"
        if slices < FEWEST_SLICES:
            size = f"only {_count(slices, 'parallel slice')} with {phases} phases"
            return f"No short-axis cine: {size}, at least {FEWEST_SLICES} slices are needed"
        return f"No short-axis cine: the best stack is another view, {best.sentence}"
    unusable = Counter(instance.unusable for instance in instances if instance.unusable)
    seen = [f"{count} x {kind}" for kind, count in (others + unusable).most_common(4)]
    return f"No short-axis cine among {_count(len(instances), 'file')}: {'; '.join(seen) or 'no images'}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _one_patient(best: Candidate) -> None:
    patients = {plane.instance.patient_id for run in best.runs for plane in run.planes} - {""}
    if len(patients) > 1:
        raise ContradictoryStudy(f"The images of the short-axis cine name {len(patients)} different patients")


def _reasonable(best: Candidate) -> None:
    """Keep what a hostile header declares within memory and time."""
    instance = best.runs[0].planes[0].instance
    voxels = len(best.runs) * best.usual * instance.rows * instance.columns
    if best.usual > _MOST_PHASES:
        raise NoCine(f"The short-axis stack has {best.usual} images at one position, too many for one beat")
    if voxels > _MOST_VOXELS:
        raise NoCine(
            f"The short-axis cine has {voxels} voxels, more than the {_MOST_VOXELS} that can be analysed"
        )


def _evidence(
    best: Candidate, rest: Sequence[Candidate], others: Counter[str], instances: Sequence[InstanceFacts]
) -> list[str]:
    planes = [plane for run in best.runs for plane in run.planes]
    sources = Counter(run.source for run in best.runs).most_common()
    lines = [f"phases by {', '.join(source for source, _ in sources)}"]
    lines.append(
        f"from {len({run.series_uid for run in best.runs})} series, slices {best.step_mm:.1f} mm apart"
    )
    if best.repeats:
        lines.append(f"{_count(best.repeats, 'repeated image')} dropped")
    if best.retakes:
        lines.append(
            f"{_count(best.retakes, 'slice')} taken again: the most complete, then the later is used"
        )
    if len({plane.instance.frame_of_reference_uid for plane in planes}) > 1:
        lines.append("Frame of Reference UID differs within the stack and is ignored")
    lines += [f"also seen: {candidate.sentence}" for candidate in rest if candidate.possible]
    lines += [f"not cine: {count} x {kind}" for kind, count in (others + best.left_out).most_common(8)]
    unusable = Counter(instance.unusable for instance in instances if instance.unusable)
    lines += [f"not usable: {count} x {why}" for why, count in unusable.most_common(4)]
    return lines


def _stack(best: Candidate, evidence: tuple[str, ...]) -> CineStack:
    beats = beats_of(best.runs, best.usual)
    lengths = Counter(beat.phases for beat in beats)
    numbers = [1]
    for gap in best.gaps:
        numbers.append(numbers[-1] + gap)
    slices = []
    for number, run, beat in zip(numbers, best.runs, beats, strict=True):
        at = dict(zip(beat.indices, run.planes, strict=True))
        slices.append(CineSlice(number, tuple(at.get(phase) for phase in range(beat.phases)), beat))
    planes = [plane for run in best.runs for plane in run.planes]
    files = {plane.instance.sop_instance_uid for plane in planes}
    x, y, z = best.direction.tolist()
    return CineStack(
        slices=tuple(slices),
        phases=max(lengths, key=lambda length: (lengths[length], length)),
        missing=tuple(sorted(set(range(1, numbers[-1])) - set(numbers))),
        step_mm=best.step_mm,
        direction=(x, y, z),
        orientation=best.orientation,
        declared_slices=_commonest([plane.instance.declared_slices for plane in planes]),
        whole_object=len(files) == 1 and planes[0].instance.multi_frame,
        declared_images=_declared_images(best),
        frame_of_reference_uid=_frame_of_reference(best),
        lossy=any(plane.instance.lossy for plane in planes),
        evidence=evidence,
    )


def _frame_of_reference(best: Candidate) -> str:
    return frame_of_reference(best.runs[0]) or best.runs[0].planes[0].instance.frame_of_reference_uid


def _commonest(values: Sequence[int | None]) -> int | None:
    counts = Counter(value for value in values if value is not None)
    return max(counts, key=lambda value: (counts[value], value)) if counts else None


def _declared_images(best: Candidate) -> int | None:
    """Images in Acquisition counts one series; a stack of many says nothing by it."""
    if len({run.series_uid for run in best.runs}) > 1:
        return None
    return _commonest([plane.instance.declared_images for run in best.runs for plane in run.planes])
