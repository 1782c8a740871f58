"""The clock of one slice: when its phases were taken, and which phases are not there."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from pipeline.acquisition import Run
from pipeline.frames import CARDIAC_MS, INSTANCE_INDEX

ASSUMED_RR_MS = 1000.0


@dataclass(frozen=True, slots=True)
class Beat:
    """One slice through one cycle.

    Attributes:
        times_ms: when each plane of the run was taken after the R wave.
        rr_ms: length of the cycle.
        rr_stated: whether a tag states it; else it is estimated from the times, or assumed.
        phases: how many phases the whole cycle has.
        indices: the phase (from 0) of each plane of the run.
        grid_ms: the time of every phase, also of those not there.
    """

    times_ms: tuple[float, ...]
    rr_ms: float
    rr_stated: bool
    phases: int
    indices: tuple[int, ...]
    grid_ms: tuple[float, ...]

    @property
    def fractions(self) -> tuple[float, ...]:
        """The time of every phase as a share of the cycle."""
        return tuple(time / self.rr_ms for time in self.grid_ms)


def beats_of(runs: Sequence[Run], usual: int) -> list[Beat]:
    """The clock of every slice. `usual` is the number of phases that most runs have."""
    firsts: dict[str, float] = {}
    for run in runs:
        firsts[run.source] = min(firsts.get(run.source, run.times[0]), run.times[0])
    clocks = [_clock(run, usual, firsts[run.source]) for run in runs]
    lengths = [_length(run, clock, usual) for run, clock in zip(runs, clocks, strict=True)]
    patterns = _patterns(runs, clocks, lengths)
    return [_beat(clock, length, patterns) for clock, length in zip(clocks, lengths, strict=True)]


def _clock(run: Run, usual: int, first: float) -> tuple[tuple[float, ...], float, bool]:
    """Times in ms, the length of the cycle, and whether a tag states that length."""
    stated = [plane.frame.rr_ms for plane in run.planes if plane.frame.rr_ms is not None]
    rr = median(stated) if stated else 0.0
    if run.source not in CARDIAC_MS:
        phases = max(run.declared_phases or usual, len(run.planes), 1)
        return _counted(run, first, (rr or ASSUMED_RR_MS) / phases), rr or ASSUMED_RR_MS, rr > 0
    times = run.times
    reach = times[-1] - times[0]
    if rr > reach:
        return times, rr, True
    step = median([b - a for a, b in pairwise(times)]) if len(times) > 1 else ASSUMED_RR_MS
    return times, reach + step, False


def _counted(run: Run, first: float, step_ms: float) -> tuple[float, ...]:
    """Times of phases that are only numbered; Instance Number runs on from slice to slice."""
    numbers = run.times
    start = numbers[0] if run.source in INSTANCE_INDEX else first
    stride = min((b - a for a, b in pairwise(numbers)), default=1.0)
    stride = stride if run.source in INSTANCE_INDEX else 1.0
    return tuple((number - start) / stride * step_ms for number in numbers)


def _length(run: Run, clock: tuple[tuple[float, ...], float, bool], usual: int) -> int:
    """How many phases the cycle of this slice has, whether they are there or not."""
    count, declared = len(run.planes), run.declared_phases or 0
    if run.source in CARDIAC_MS and _covers(*clock):
        return count
    # Some writers put the images of all slices where those of one belong.
    if count < declared <= 4 * usual:
        return declared
    return count if declared == count else max(count, usual)


def _covers(times_ms: tuple[float, ...], rr_ms: float, stated: bool) -> bool:
    """Whether the phases reach round the whole cycle without a gap; False where its length is a guess."""
    if not stated or len(times_ms) < 3:
        return False
    around = (*times_ms, times_ms[0] + rr_ms)
    gaps = [b - a for a, b in pairwise(around)]
    return max(gaps) < 1.5 * median(gaps)


def _patterns(
    runs: Sequence[Run], clocks: Sequence[tuple[tuple[float, ...], float, bool]], lengths: Sequence[int]
) -> dict[int, tuple[float, ...]]:
    """For every number of phases, the share of the cycle of each, from the slices that have them all."""
    found: dict[int, list[tuple[float, ...]]] = {}
    for run, (times, rr, _), length in zip(runs, clocks, lengths, strict=True):
        if len(run.planes) == length:
            found.setdefault(length, []).append(tuple(time / rr for time in times))
    return {
        length: tuple(median(shares) for shares in zip(*whole, strict=True))
        for length, whole in found.items()
    }


def _beat(
    clock: tuple[tuple[float, ...], float, bool], length: int, patterns: dict[int, tuple[float, ...]]
) -> Beat:
    times, rr, stated = clock
    if len(times) == length:
        return Beat(times, rr, stated, length, tuple(range(length)), times)
    pattern = patterns.get(length) or tuple(phase / length for phase in range(length))
    rr = rr if stated else max(rr, _rr_by_pattern(times, pattern))
    indices = _nearest([time / rr for time in times], pattern)
    grid = [share * rr for share in pattern]
    for index, time in zip(indices, times, strict=True):
        grid[index] = time
    return Beat(times, rr, stated, length, indices, tuple(grid))


def _rr_by_pattern(times: Sequence[float], pattern: Sequence[float]) -> float:
    """The cycle that lets the steps of an unfinished slice match those of the finished ones."""
    if len(times) < 2:
        return ASSUMED_RR_MS
    step = median(b - a for a, b in pairwise(pattern))
    return median(b - a for a, b in pairwise(times)) / step


def _nearest(shares: Sequence[float], pattern: Sequence[float]) -> tuple[int, ...]:
    """The phase nearest to each share of the cycle, never two at one phase."""
    indices: list[int] = []
    for place, share in enumerate(shares):
        lowest = indices[-1] + 1 if indices else 0
        highest = len(pattern) - (len(shares) - place)
        nearest = min(range(len(pattern)), key=lambda index: abs(pattern[index] - share))
        indices.append(min(max(nearest, lowest), highest))
    return tuple(indices)
