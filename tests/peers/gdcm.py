"""GDCM: where it says that an image lies."""

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.peers.presence import program


@dataclass(frozen=True, slots=True)
class Place:
    """Millimetres, LPS: the first pixel's centre, between columns and rows, along rows and columns."""

    origin: list[float]
    spacing: list[float]
    cosines: list[float]


def gdcminfo(path: Path) -> Place:
    """The geometry of an image as GDCM reads it."""
    done = subprocess.run(
        [program("gdcminfo"), str(path)], capture_output=True, encoding="utf-8", timeout=120, check=True
    )
    origin, spacing, cosines = (
        [float(number) for number in re.search(rf"{name}: \((.*)\)", done.stdout)[1].split(",")]  # type: ignore[index]
        for name in ("Origin", "Spacing", "DirectionCosines")
    )
    return Place(origin, spacing[:2], cosines)
