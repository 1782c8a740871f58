"""The 17 segments of the left ventricle (Cerqueira et al., Circulation 2002;105:539) as smooth weights.

Angles are degrees counter-clockwise in the displayed short-axis image, 0 pointing at the lateral wall, so
that the anterior wall is at 90, the septum at 180 and the inferior wall at 270. `zeta` runs along the long
axis: 0 at the mitral plane, 1 at the endocardial apex; beyond 1 lies the apical cap, segment 17.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]

TERRITORIES: tuple[tuple[int, ...], ...] = (
    (1, 2, 7, 8, 13, 14, 17),
    (3, 4, 9, 10, 15),
    (5, 6, 11, 12, 16),
)
"""Segments fed by the left anterior descending, right and circumflex artery."""

_BORDER_DEG = 15.0
_BORDER_ZETA = 0.06
_RING_STARTS = (60.0, 120.0, 180.0, 240.0, 300.0, 0.0)
_APICAL_STARTS = (45.0, 135.0, 225.0, 315.0)


def extent(segment: int) -> tuple[float, float, float, float]:
    """The (first angle, angular width, first zeta, last zeta) of an AHA segment; degrees and fractions.

    Raises:
        ValueError: there is no such segment.
    """
    if 1 <= segment <= 12:
        ring, place = divmod(segment - 1, 6)
        return _RING_STARTS[place], 60.0, ring / 3, (ring + 1) / 3
    if 13 <= segment <= 16:
        return _APICAL_STARTS[segment - 13], 90.0, 2 / 3, 1.0
    if segment == 17:
        return 0.0, 360.0, 1.0, 2.0
    raise ValueError(f"AHA segments run from 1 to 17, not {segment}")


def adjacent(one: int, other: int) -> bool:
    """Whether two segments share a border."""
    start, width, top, bottom = extent(one)
    start_, width_, top_, bottom_ = extent(other)
    apart = abs((start + width / 2 - start_ - width_ / 2 + 180) % 360 - 180)
    touching = apart <= (width + width_) / 2
    overlapping = apart < (width + width_) / 2
    same_ring = top == top_
    next_ring = top in (bottom_, top_) or bottom == top_
    return one != other and ((same_ring and touching) or (next_ring and overlapping))


def grow(rng: np.random.Generator, count: int) -> tuple[int, ...]:
    """`count` connected segments of one coronary territory, ascending (fewer where the territory ends)."""
    territory = TERRITORIES[int(rng.integers(len(TERRITORIES)))]
    chosen = [int(rng.choice([segment for segment in territory if segment != 17]))]
    while len(chosen) < count:
        edge = [s for s in territory if s not in chosen and any(adjacent(s, c) for c in chosen)]
        if not edge:
            break
        chosen.append(int(rng.choice(edge)))
    return tuple(sorted(chosen))


def weight(segments: tuple[int, ...], zeta: Floats, angle_deg: Floats) -> Floats:
    """How much a place belongs to `segments`: 1 inside, 0 outside, 0.5 on the border.

    Broadcasts `zeta` against `angle_deg`. Neighbours join without a seam because their soft borders add up.
    """
    total = np.zeros(np.broadcast_shapes(zeta.shape, angle_deg.shape))
    for segment in segments:
        start, width, top, bottom = extent(segment)
        along = _ramp(zeta - top, _BORDER_ZETA) if top > 0 else np.ones_like(zeta)
        along = along * _ramp(bottom - zeta, _BORDER_ZETA)
        if width == 360.0:
            total += along
            continue
        off = np.abs((angle_deg - start - width / 2 + 180) % 360 - 180)
        total += along * _ramp(width / 2 - off, _BORDER_DEG)
    return np.minimum(total, 1.0)


def _ramp(inside: Floats, half_width: float) -> Floats:
    """0 to 1 across a border: `inside` is the signed distance to it."""
    ramp: Floats = np.clip(inside / (2 * half_width) + 0.5, 0.0, 1.0)
    return ramp
