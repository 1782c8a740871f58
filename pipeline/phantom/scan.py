"""What the simulated scanner is asked for, and what it gives back."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.phantom.heart import Heart
from pipeline.volume import CineVolume


@dataclass(frozen=True, slots=True)
class Scan:
    """A short-axis cine protocol.

    Attributes:
        slices, phases: size of the stack.
        matrix: (rows, columns).
        spacing_mm: distance of pixel centres, in both directions.
        slice_distance_mm: distance of neighbouring planes' centres.
        thickness_mm: of a plane; what lies within it is averaged.
        noise: standard deviation in either channel as a share of the blood signal.
        breath_mm: standard deviation of each slice's shift against the others, in every direction.
        rr_jitter: standard deviation of the cycle length between slices, as a share of it.
        subplanes: samples through the thickness.
    """

    slices: int = 10
    phases: int = 20
    matrix: tuple[int, int] = (128, 128)
    spacing_mm: float = 2.0
    slice_distance_mm: float = 10.0
    thickness_mm: float = 8.0
    noise: float = 0.025
    breath_mm: float = 1.2
    rr_jitter: float = 0.02
    subplanes: int = 2

    def __post_init__(self) -> None:
        if min(self.slices, self.phases, self.subplanes, *self.matrix) < 1:
            raise ValueError("a scan needs at least one slice, phase, subplane, row and column")
        if min(self.spacing_mm, self.slice_distance_mm, self.thickness_mm) <= 0:
            raise ValueError("distances are above 0 mm")


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """What is known because it was built in.

    Attributes:
        volumes_ml: cavity volume in every phase, papillary muscles included; exact, not counted.
        segments: the scarred AHA segments, ascending; empty in a healthy heart.
        cavity, myocardium, scar: (phase, slice, row, column) bool, left ventricle only; a voxel belongs
            where more than half of it does.
        centres_px: (row, column) of the left ventricle's axis per slice, in phase 0.
    """

    volumes_ml: tuple[float, ...]
    segments: tuple[int, ...]
    cavity: NDArray[np.bool_]
    myocardium: NDArray[np.bool_]
    scar: NDArray[np.bool_]
    centres_px: tuple[tuple[float, float], ...]

    @property
    def scarred(self) -> bool:
        return bool(self.segments)

    @property
    def edv_ml(self) -> float:
        return max(self.volumes_ml)

    @property
    def esv_ml(self) -> float:
        return min(self.volumes_ml)

    @property
    def ef(self) -> float:
        """Ejection fraction, 0 to 1."""
        return 1 - self.esv_ml / self.edv_ml

    @property
    def ed_phase(self) -> int:
        return self.volumes_ml.index(self.edv_ml)

    @property
    def es_phase(self) -> int:
        return self.volumes_ml.index(self.esv_ml)


@dataclass(frozen=True, slots=True, eq=False)
class Phantom:
    """A simulated study: the volume a correct reader must find, and the truth behind it.

    `volume.sources` names the instances of the GE layout; other layouts have other instances.
    """

    heart: Heart
    scan: Scan
    volume: CineVolume
    truth: Truth
