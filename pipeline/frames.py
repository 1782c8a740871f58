"""Where each plane of a file lies and when in the beat it was taken (PS3.3 C.7.6.2, C.7.6.16)."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

from pydicom.dataset import Dataset

from pipeline.acquired import acquired_s
from pipeline.header import Elements, items, number, private, sequences, whole
from pipeline.layers import first, value
from pipeline.technique import technique

# In the order in which they are believed.
CARDIAC_MS = ("TriggerTime", "NominalCardiacTriggerDelayTime", "UnassignedTriggerTime")
CARDIAC_INDEX = ("PhilipsPhaseNumber", "GEPhaseNumber")
TEMPORAL_INDEX = ("TemporalPosition",)
INSTANCE_INDEX = ("InstanceNumber",)

_MOST_FRAMES = 4096
_PRIVATE_PHASES = (
    ("PhilipsPhaseNumber", 0x2001, 0x08, "Philips Imaging DD 001", "IS"),
    ("GEPhaseNumber", 0x0019, 0xD7, "GEMS_ACQU_01", "SS"),
)


@dataclass(frozen=True, slots=True)
class FrameFacts:
    """One plane.

    Attributes:
        number: counts from 1; 1 in a single-frame file.
        position_mm: centre of the first pixel, LPS.
        orientation: direction of a row, then of a column (unit vectors, LPS).
        spacing_mm: between rows, between columns.
        times: (source, value) of every tag that may tell the phase, the most trustworthy first;
            milliseconds for the sources in `CARDIAC_MS`, else an index.
        rr_ms: length of the cycle, if a tag states it.
        marks: upper-case Image Type, Frame Type, complex component and contrast words.
        acquisition_number: Acquisition Number, if any.
        acquired_s: acquisition time in seconds (with the day, where the date is one), if any.
        echo_ms, inversion_ms: what varies in mapping sequences.
        rescale: slope and intercept to modality units; None if what is written there are no numbers.
    """

    number: int
    position_mm: tuple[float, float, float]
    orientation: tuple[float, float, float, float, float, float]
    spacing_mm: tuple[float, float]
    times: tuple[tuple[str, float], ...] = ()
    rr_ms: float | None = None
    marks: tuple[str, ...] = ()
    acquisition_number: int | None = None
    acquired_s: float | None = None
    echo_ms: float | None = None
    inversion_ms: float | None = None
    rescale: tuple[float, float] | None = (1.0, 0.0)

    def as_json(self) -> dict[str, Any]:
        """Numbers, strings and lists only."""
        return {name: getattr(self, name) for name in _NAMES}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "FrameFacts":
        """The inverse of `as_json` and JSON."""
        x, y, z = values["position_mm"]
        rows, columns = values["spacing_mm"]
        times = tuple((str(source), float(value)) for source, value in values["times"])
        own = {
            "position_mm": (x, y, z),
            "orientation": tuple(values["orientation"]),
            "spacing_mm": (rows, columns),
            "times": times,
            "marks": tuple(values["marks"]),
            "rescale": tuple(values["rescale"]) if values["rescale"] else None,
        }
        return cls(**{**values, **own})

    @property
    def time_source(self) -> str:
        """The most trustworthy tag that tells the phase; empty if there is none."""
        return self.times[0][0] if self.times else ""

    def time(self, source: str) -> float | None:
        """What `source` says about the phase."""
        for name, when in self.times:
            if name == source:
                return when
        return None


_NAMES = tuple(field.name for field in fields(FrameFacts))


def frame_count(dataset: Elements) -> int:
    """Number of Frames of a multi-frame object; 0 where it is missing, absurd or not a number."""
    count = whole(dataset, "NumberOfFrames") or 0
    return count if 0 < count <= _MOST_FRAMES else 0


def read_frame(dataset: Elements) -> FrameFacts | None:
    """The plane of a single-frame file; None if it has no place."""
    return _frame(1, [dataset], dataset, "TriggerTime")


def read_frames(dataset: Dataset, count: int) -> tuple[FrameFacts, ...]:
    """The planes of a multi-frame file that have a place; those without one are left out.

    Raises:
        any of `header.UNREADABLE`: the functional groups cannot be parsed.
    """
    shared = [
        item for group in items(dataset, "SharedFunctionalGroupsSequence")[:1] for _, item in sequences(group)
    ]
    found = []
    for index, group in enumerate(items(dataset, "PerFrameFunctionalGroupsSequence")[:count], 1):
        layers = [item for _, item in sequences(group)] + shared + [dataset]
        found.append(_frame(index, layers, dataset, "UnassignedTriggerTime"))
    return tuple(frame for frame in found if frame)


def _frame(
    index: int, layers: Sequence[Elements], dataset: Elements, trigger_source: str
) -> FrameFacts | None:
    position = first(layers, "ImagePositionPatient", 3)
    if len(position) != 3 or max(map(abs, position)) > 1e5:
        return None
    taken = technique(layers)
    if taken is None:
        return None
    return FrameFacts(
        number=index,
        position_mm=(position[0], position[1], position[2]),
        orientation=taken.orientation,
        spacing_mm=taken.spacing_mm,
        times=_times(index, layers, dataset, trigger_source),
        rr_ms=taken.rr_ms,
        marks=taken.marks,
        acquisition_number=whole(dataset, "AcquisitionNumber"),
        acquired_s=acquired_s(layers),
        echo_ms=taken.echo_ms,
        inversion_ms=taken.inversion_ms,
        rescale=taken.rescale,
    )


def _times(
    index: int, layers: Sequence[Elements], dataset: Elements, trigger_source: str
) -> tuple[tuple[str, float], ...]:
    trigger = value(layers, "TriggerTime")
    delay = value(layers, "NominalCardiacTriggerDelayTime")
    clocks = [(trigger_source, trigger), ("NominalCardiacTriggerDelayTime", delay)]
    if trigger_source == "UnassignedTriggerTime":
        clocks.reverse()
    position = value(
        layers, "TemporalPositionIndex", "TemporalPositionIdentifier", "TemporalPositionTimeOffset"
    )
    numbered = index if trigger_source == "UnassignedTriggerTime" else whole(dataset, "InstanceNumber")
    chain: list[tuple[str, float | None]] = [*clocks, ("TemporalPosition", position)]
    chain += [(name, _private_phase(layers, *where)) for name, *where in _PRIVATE_PHASES]
    chain.append(("InstanceNumber", numbered))
    return tuple((source, float(when)) for source, when in chain if when is not None)


def _private_phase(layers: Sequence[Elements], *where: Any) -> float | None:
    group, element, creator, vr = where
    for layer in layers:
        tag = private(layer, group, element, creator)
        index = number(layer, tag, vr) if tag else None
        if index is not None:
            return index
    return None
