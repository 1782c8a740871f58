"""Where each plane of a file lies and when in the beat it was taken (PS3.3 C.7.6.2, C.7.6.16)."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any

import numpy as np
from pydicom.dataset import Dataset

from pipeline.acquired import acquired_s
from pipeline.header import Elements, items, number, numbers, private, sequences, text, texts, whole

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
        for name, value in self.times:
            if name == source:
                return value
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
    position = _first(layers, "ImagePositionPatient", 3)
    orientation = _unit(_first(layers, "ImageOrientationPatient", 6))
    spacing = _first(layers, "PixelSpacing", 2)
    if len(position) != 3 or len(orientation) != 6 or len(spacing) != 2 or min(spacing) <= 0:
        return None
    if max(map(abs, position)) > 1e5 or max(spacing) > 1e3:
        return None
    return FrameFacts(
        number=index,
        position_mm=(position[0], position[1], position[2]),
        orientation=orientation,
        spacing_mm=(spacing[0], spacing[1]),
        times=_times(index, layers, dataset, trigger_source),
        rr_ms=_rr_ms(layers),
        marks=_marks(layers),
        acquisition_number=whole(dataset, "AcquisitionNumber"),
        acquired_s=acquired_s(layers),
        echo_ms=_value(layers, "EchoTime", "EffectiveEchoTime"),
        inversion_ms=_value(layers, "InversionTime", "InversionTimes"),
        rescale=_rescale(layers),
    )


def _first(layers: Sequence[Elements], keyword: str, size: int) -> tuple[float, ...]:
    """The first non-empty value of `keyword`, the frame's own before the shared and the common ones."""
    for layer in layers:
        values = numbers(layer, keyword)
        if len(values) == size:
            return values
    return ()


def _value(layers: Sequence[Elements], *keywords: str) -> float | None:
    for keyword in keywords:
        for layer in layers:
            found = number(layer, keyword)
            if found is not None:
                return found
    return None


def _unit(cosines: tuple[float, ...]) -> Any:
    """Both directions; empty if they are no pair of perpendicular directions of unit length."""
    return cosines if len(cosines) == 6 and _are_directions(cosines) else ()


@lru_cache(maxsize=1024)
def _are_directions(cosines: tuple[float, ...]) -> bool:
    if max(map(abs, cosines)) > 10:
        return False
    row, column = np.array(cosines[:3]), np.array(cosines[3:])
    lengths = float(np.linalg.norm(row)), float(np.linalg.norm(column))
    return min(lengths) >= 0.9 and max(lengths) <= 1.1 and abs(float(row @ column)) <= 0.05


def _times(
    index: int, layers: Sequence[Elements], dataset: Elements, trigger_source: str
) -> tuple[tuple[str, float], ...]:
    trigger = _value(layers, "TriggerTime")
    delay = _value(layers, "NominalCardiacTriggerDelayTime")
    first = [(trigger_source, trigger), ("NominalCardiacTriggerDelayTime", delay)]
    if trigger_source == "UnassignedTriggerTime":
        first.reverse()
    position = _value(
        layers, "TemporalPositionIndex", "TemporalPositionIdentifier", "TemporalPositionTimeOffset"
    )
    numbered = index if trigger_source == "UnassignedTriggerTime" else whole(dataset, "InstanceNumber")
    chain: list[tuple[str, float | None]] = [*first, ("TemporalPosition", position)]
    chain += [(name, _private_phase(layers, *where)) for name, *where in _PRIVATE_PHASES]
    chain.append(("InstanceNumber", numbered))
    return tuple((source, float(value)) for source, value in chain if value is not None)


def _private_phase(layers: Sequence[Elements], *where: Any) -> float | None:
    group, element, creator, vr = where
    for layer in layers:
        tag = private(layer, group, element, creator)
        value = number(layer, tag, vr) if tag else None
        if value is not None:
            return value
    return None


def _rr_ms(layers: Sequence[Elements]) -> float | None:
    interval = _value(layers, "NominalInterval", "RRIntervalTimeNominal")
    if interval is not None and 200 <= interval <= 5000:
        return interval
    rate = _value(layers, "HeartRate")
    return 60_000 / rate if rate is not None and 12 <= rate <= 300 else None


def _rescale(layers: Sequence[Elements]) -> tuple[float, float] | None:
    """Absent values mean 1 and 0 (PS3.3 C.8.3.1 has neither); written ones must be numbers."""
    found = []
    for keyword, usual in (("RescaleSlope", 1.0), ("RescaleIntercept", 0.0)):
        layer = next((layer for layer in layers if text(layer, keyword)), None)
        value = usual if layer is None else number(layer, keyword)
        if value is None or abs(value) > 1e12:
            return None
        found.append(value)
    return (found[0], found[1]) if found[0] != 0 else None


def _marks(layers: Sequence[Elements]) -> tuple[str, ...]:
    """Words that tell magnitude from phase, cine from perfusion (PS3.3 C.8.13.1, C.8.13.3)."""
    words: list[str] = []
    # what a frame says of itself stands before what the file says of all its frames
    for keywords in (("FrameType", "ImageType"), ("ComplexImageComponent",), ("AcquisitionContrast",)):
        found = (texts(layer, keyword) for keyword in keywords for layer in layers)
        words += [word.upper()[:32] for word in next(filter(None, found), ())[:16] if word]
    if any(text(layer, "PhaseContrast").upper() == "YES" for layer in layers):
        words.append("PHASE CONTRAST")
    if any(text(layer, "Tagging").upper() not in ("", "NONE") for layer in layers):
        words.append("TAGGED")
    return tuple(dict.fromkeys(words))
