"""What differs from one breath-hold to the next: where the heart lies and how fast it beats."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.phantom.heart import Heart
from pipeline.phantom.scan import Scan


@dataclass(frozen=True, slots=True, eq=False)
class Breaths:
    """One breath-hold per slice.

    Attributes:
        shift_mm: (slice, (right, down, apex)) of the heart against the mean position.
        interval_ms: time between phases, whole milliseconds.
    """

    shift_mm: NDArray[np.float64]
    interval_ms: tuple[int, ...]


def draw_breaths(heart: Heart, scan: Scan) -> Breaths:
    """The breath-holds of `heart` under `scan`; deterministic."""
    rng = np.random.default_rng((0x42524541, heart.seed))
    shift = rng.normal(0, 1, (scan.slices, 3)) * scan.breath_mm
    cycle = heart.rr_ms * (1 + scan.rr_jitter * rng.normal(0, 1, scan.slices))
    return Breaths(shift, tuple(max(1, round(float(interval))) for interval in cycle / scan.phases))
