"""What the reader of a report must know about how the volume came to be."""

from collections.abc import Iterator, Sequence

from pipeline.completeness import ranges
from pipeline.cycle import ASSUMED_RR_MS
from pipeline.frames import CARDIAC_MS
from pipeline.stack import CineSlice, CineStack


def write_notes(
    stack: CineStack, used: Sequence[CineSlice], resampled: Sequence[CineSlice], missing: Sequence[str]
) -> tuple[str, ...]:
    """Sentences on what was assumed, resampled, interpolated, left out or lost before it came to us."""
    return (
        *_clock_notes(used),
        *_resampled(stack, resampled),
        *_gaps(stack, used, missing),
        *_source_notes(stack),
    )


def _clock_notes(used: Sequence[CineSlice]) -> Iterator[str]:
    stated = [slice_.beat.rr_ms for slice_ in used if slice_.beat.rr_stated]
    if stated and max(stated) - min(stated) > 0.01 * max(stated):
        yield (
            f"The R-R interval differs between slices ({min(stated):.0f} to {max(stated):.0f} ms); "
            "phases are matched by their share of the cycle."
        )
    if len(stated) < len(used):
        timed = all(plane.frame.time_source in CARDIAC_MS for slice_ in used for plane in slice_.present)
        how = "estimated from the trigger times" if timed else f"assumed to be {ASSUMED_RR_MS:.0f} ms"
        yield f"The images do not state a usable R-R interval; it is {how}."


def _resampled(stack: CineStack, resampled: Sequence[CineSlice]) -> Iterator[str]:
    for slice_ in resampled:
        yield (
            f"Slice {slice_.number}: {slice_.beat.phases} phases, resampled linearly over the cycle "
            f"to the {stack.phases} phases of the stack."
        )


def _gaps(stack: CineStack, used: Sequence[CineSlice], missing: Sequence[str]) -> Iterator[str]:
    for slice_ in used:
        gone = [phase for phase, plane in enumerate(slice_.planes, 1) if plane is None]
        if gone:
            yield f"Slice {slice_.number}, {ranges(gone)}: no image came, interpolated within the slice."
    for slice_ in stack.slices:
        if slice_ not in used:
            yield f"Slice {slice_.number} has too few images and is left out."
    for sentence in missing:
        if sentence.endswith("is missing"):
            yield f"{sentence.capitalize()} and is left out."
        elif " at an end " in sentence:
            yield f"{sentence.capitalize()}."


def _source_notes(stack: CineStack) -> Iterator[str]:
    numbers = [slice_.number for slice_ in stack.slices]
    if numbers != list(range(1, len(numbers) + 1)):
        yield "The slices are not evenly spaced."
    if stack.lossy:
        yield "The images went through a lossy compression before they came."
