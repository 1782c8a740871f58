"""Whether a stack is all there: the grid of slices x phases, and what the tags say about it."""

from collections.abc import Iterable
from dataclasses import dataclass

from pipeline.stack import CineStack

_MOST_SLICES = 40  # a tag that states more counts images, not slices


@dataclass(frozen=True, slots=True)
class Completeness:
    """A verdict on a stack.

    Attributes:
        full: whether the grid has no hole and no trustworthy tag asks for more slices.
        declared: whether a trustworthy tag states the slice count, and it is met.
        slices: that came.
        phases: of the grid.
        missing: what is not there, such as "slice 7, phases 12-25"; slices count from 1 at the base.
        evidence: what the verdict rests on.
        confidence: how sure it is, 0..1.
        sentence: all of it in one line.
    """

    full: bool
    declared: bool
    slices: int
    phases: int
    missing: tuple[str, ...]
    evidence: tuple[str, ...]
    confidence: float
    sentence: str


def judge(stack: CineStack) -> Completeness:
    """Compare what came with what the geometry and the tags expect.

    A slice missing at an end is invisible to geometry; only a stated slice count can tell. Locations in
    Acquisition (0021,104F) and Number of Slices (2001,1018) are believed when they ask for more slices
    than came; when they state fewer they count something else. Images in Acquisition (0020,1002) is wrong
    too often to wait for.
    """
    slices, phases = len(stack.slices), stack.phases
    holes = tuple(_holes(stack))
    known = slices + len(stack.missing)
    stated = stack.declared_slices
    lost = max(0, (stated or 0) - known)
    believed = lost > 0 and known + lost <= _MOST_SLICES
    ends = (
        (f"{_slices(lost)} at an end of the stack: {stated} are stated, {known} are known",)
        if believed
        else ()
    )
    missing = holes + ends
    declared = not missing and (stated == slices or stack.whole_object)
    doubt, lines = _weigh(stack, known)
    found = "missing: " + "; ".join(missing) if missing else "complete"
    return Completeness(
        full=not missing,
        declared=declared,
        slices=slices,
        phases=phases,
        missing=missing,
        evidence=(*lines, *stack.evidence),
        confidence=_confidence(holes, ends, declared, doubt),
        sentence=f"{slices} slices x {phases} phases, {found}",
    )


def _holes(stack: CineStack) -> Iterable[str]:
    there = {slice_.number: slice_ for slice_ in stack.slices}
    for number in range(1, stack.slices[-1].number + 1):
        if number not in there:
            yield f"slice {number} is missing"
            continue
        gone = [phase for phase, plane in enumerate(there[number].planes, 1) if plane is None]
        if gone:
            yield f"slice {number}, {ranges(gone)}"


def ranges(phases: Iterable[int]) -> str:
    """Phase numbers as a reader writes them: "phase 4", "phases 2-5, 9"."""
    runs: list[list[int]] = []
    for phase in sorted(phases):
        if runs and phase == runs[-1][-1] + 1:
            runs[-1].append(phase)
        else:
            runs.append([phase])
    words = [f"{run[0]}-{run[-1]}" if len(run) > 1 else f"{run[0]}" for run in runs]
    single = len(runs) == 1 and len(runs[0]) == 1
    return f"{'phase' if single else 'phases'} {', '.join(words)}"


def _weigh(stack: CineStack, known: int) -> tuple[bool, list[str]]:
    """Whether a tag contradicts the geometry, and what the tags say."""
    lines, doubt = [], False
    stated, images = stack.declared_slices, stack.declared_images
    expected = known * stack.phases
    if stated is not None:
        lines.append(f"a tag states {_slices(stated)}, the positions show {known}")
        doubt = stated != known
    if images is not None:
        agrees = images == expected
        lines.append(
            f"Images in Acquisition states {images}, the grid has {expected}"
            + ("" if agrees else ": not believed")
        )
        doubt = doubt or (not agrees and stated is None)
    if stack.whole_object:
        lines.append("one multi-frame object holds the whole stack")
    return doubt, lines


def _confidence(holes: tuple[str, ...], ends: tuple[str, ...], declared: bool, doubt: bool) -> float:
    if holes:
        return 0.95
    if ends:
        return 0.8
    if declared:
        return 1.0
    return 0.6 if doubt else 0.9


def _slices(count: int) -> str:
    return f"{count} slice" if count == 1 else f"{count} slices"
