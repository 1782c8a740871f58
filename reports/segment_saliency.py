"""How much attention each AHA segment drew, and what that number rests on."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pipeline.aha import RINGS_MM, SEGMENT_NAMES, NoSegments, segments_of
from pipeline.centre import heart_centre
from reports.context import ReportContext
from reports.map_words import MapWords

SEGMENTS: Final = range(1, len(SEGMENT_NAMES) + 1)

_RING, _APICAL_RING = (
    f"{inner:.0f} to {outer:.0f}" for inner, outer in (RINGS_MM["mid"], RINGS_MM["apical"])
)
_RV: Final = (
    "RV insertions are not detected: the middle of the septum is taken to face half-way between the "
    "patient's right and front, give or take half a segment."
)


def convention(words: MapWords) -> tuple[str, ...]:
    """What whoever shows the values says beside them."""
    return (
        _RV,
        f"A value is the highest {words.name} of the beat, averaged over the sector of a ring "
        f"{_RING} mm from the ventricle's centre (apical: {_APICAL_RING} mm), not over segmented myocardium.",
        "Levels are thirds of the stack.",
    )


@dataclass(frozen=True, slots=True)
class SegmentSaliency:
    """Attention by AHA segment.

    Attributes:
        values: (segment, 0..1) of the segments that the stack covers, ascending; see `convention`.
        reason: why there are none, in words; empty if there are.
    """

    values: tuple[tuple[int, float], ...]
    reason: str = ""

    @property
    def missing(self) -> tuple[int, ...]:
        """The segments without a value."""
        covered = dict(self.values)
        return tuple(segment for segment in SEGMENTS if segment not in covered)


def not_covered(missing: tuple[int, ...]) -> str:
    """The segments without a value in words: whole levels, for a slice covers all its walls."""
    parts = {"basal (1-6)": 1, "mid (7-12)": 7, "apical (13-16)": 13, "apex (17)": 17}
    return f"Not covered: {', '.join(name for name, first in parts.items() if first in missing)}."


def segment_saliency(context: ReportContext) -> SegmentSaliency:
    """The attention map of `context`, segment by segment.

    A sector's value is the mean, over its pixels in all slices of its level, of each pixel's maximum over the
    phases. A slice whose map is 0 throughout was not seen by the network and does not count.
    """
    attention = context.prediction.attention
    if attention is None or not attention.any():
        return SegmentSaliency((), "the model gave no attention map")
    centre = context.prediction.centre or heart_centre(context.volume, context.study)
    found = segments_of(context.volume, context.study, centre)
    if isinstance(found, NoSegments):
        return SegmentSaliency((), found.reason)
    values = _means(attention.max(axis=0), found.labels)
    if not values:
        return SegmentSaliency((), "no slice of the three levels was seen by the network")
    return SegmentSaliency(values)


def _means(highest: NDArray[np.float32], labels: NDArray[np.uint8]) -> tuple[tuple[int, float], ...]:
    """The mean of `highest` (slice, row, column) in every segment that occurs in a slice the network saw."""
    seen = highest.any(axis=(1, 2))
    here, size = labels[seen].ravel(), len(SEGMENT_NAMES) + 1
    pixels = np.bincount(here, minlength=size)
    sums = np.bincount(here, weights=highest[seen].ravel(), minlength=size)
    return tuple(
        (segment, float(sums[segment] / pixels[segment])) for segment in SEGMENTS if pixels[segment] > 0
    )
