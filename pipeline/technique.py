"""How a plane was taken: what it has in common with its neighbours as a rule."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from pipeline.header import Elements, number, text, texts
from pipeline.layers import first, value
from pipeline.remembered import remembered

_TAGS = (
    "ImageOrientationPatient",
    "PixelSpacing",
    "NominalInterval",
    "RRIntervalTimeNominal",
    "HeartRate",
    "FrameType",
    "ImageType",
    "ComplexImageComponent",
    "AcquisitionContrast",
    "PhaseContrast",
    "Tagging",
    "EchoTime",
    "EffectiveEchoTime",
    "InversionTime",
    "InversionTimes",
    "RescaleSlope",
    "RescaleIntercept",
)


@dataclass(frozen=True, slots=True)
class Technique:
    """For the attributes see `FrameFacts`."""

    orientation: tuple[float, float, float, float, float, float]
    spacing_mm: tuple[float, float]
    rr_ms: float | None
    marks: tuple[str, ...]
    echo_ms: float | None
    inversion_ms: float | None
    rescale: tuple[float, float] | None


def technique(layers: Sequence[Elements]) -> Technique | None:
    """What the first of `layers` that says so says; None if the plane has no orientation or spacing."""
    return _of_file(layers[0]) if len(layers) == 1 else _technique(layers)


def _technique(layers: Sequence[Elements]) -> Technique | None:
    orientation = _unit(first(layers, "ImageOrientationPatient", 6))
    spacing = first(layers, "PixelSpacing", 2)
    if len(orientation) != 6 or len(spacing) != 2 or min(spacing) <= 0 or max(spacing) > 1e3:
        return None
    return Technique(
        orientation=orientation,
        spacing_mm=(spacing[0], spacing[1]),
        rr_ms=_rr_ms(layers),
        marks=_marks(layers),
        echo_ms=value(layers, "EchoTime", "EffectiveEchoTime"),
        inversion_ms=value(layers, "InversionTime", "InversionTimes"),
        rescale=_rescale(layers),
    )


_of_file = remembered(lambda dataset: _technique([dataset]), _TAGS)


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


def _rr_ms(layers: Sequence[Elements]) -> float | None:
    interval = value(layers, "NominalInterval", "RRIntervalTimeNominal")
    if interval is not None and 200 <= interval <= 5000:
        return interval
    rate = value(layers, "HeartRate")
    return 60_000 / rate if rate is not None and 12 <= rate <= 300 else None


def _rescale(layers: Sequence[Elements]) -> tuple[float, float] | None:
    """Absent values mean 1 and 0 (PS3.3 C.8.3.1 has neither); written ones must be numbers."""
    found = []
    for keyword, usual in (("RescaleSlope", 1.0), ("RescaleIntercept", 0.0)):
        layer = next((layer for layer in layers if text(layer, keyword)), None)
        stated = usual if layer is None else number(layer, keyword)
        if stated is None or abs(stated) > 1e12:
            return None
        found.append(stated)
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
