"""The one shape pixels take between the archive and the reports."""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Vector: TypeAlias = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Geometry:
    """Where the planes lie in the patient (LPS, millimetres; axes slice, row, column; PS3.3 C.7.6.2).

    `origins_mm[k]` is the centre of the first pixel of slice k, so that unevenly spaced stacks stay exact.
    `spacing_mm` is (distance between slice positions, between rows, between columns); the first is the
    median distance of the positions along the normal, never the thickness.
    `directions` are unit vectors along which the slice, row and column *index* grows.
    """

    origins_mm: tuple[Vector, ...]
    spacing_mm: Vector
    directions: tuple[Vector, Vector, Vector]

    def position_mm(self, slice_: int, row: float, column: float) -> Vector:
        """The patient position (LPS mm) of a pixel centre; rows and columns count from 0."""
        _, down, right = (np.asarray(direction) for direction in self.directions)
        offset = down * (row * self.spacing_mm[1]) + right * (column * self.spacing_mm[2])
        x, y, z = (np.asarray(self.origins_mm[slice_]) + offset).tolist()
        return (x, y, z)


@dataclass(frozen=True, slots=True)
class PlaneSource:
    """The frame a plane was read from. `frame` counts from 1; single-frame images have frame 1."""

    sop_class_uid: str
    sop_instance_uid: str
    series_instance_uid: str
    frame: int = 1
    multiframe: bool = False


@dataclass(frozen=True, eq=False)
class CineVolume:
    """One heart through one beat, with every plane's source.

    Attributes:
        voxels: (phase, slice, row, column) float32, modality units after rescale; not writeable.
        geometry: where the planes lie.
        trigger_ms: per slice, the time of every phase after the R wave: [slice][phase].
        rr_ms: per slice, the length of the cycle the phases were drawn from.
        sources: the frame each plane was read (or, when resampled, taken nearest) from: [phase][slice].
        filled: (phase, slice) cells that had no image and were interpolated from their neighbours in time.
        notes: sentences for the reader: what was resampled, filled, repaired or assumed.
    """

    voxels: NDArray[np.float32]
    geometry: Geometry
    trigger_ms: tuple[tuple[float, ...], ...]
    rr_ms: tuple[float, ...]
    sources: tuple[tuple[PlaneSource, ...], ...]
    study_instance_uid: str
    frame_of_reference_uid: str
    filled: tuple[tuple[int, int], ...] = ()
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.voxels.ndim != 4 or self.voxels.dtype != np.float32:
            raise ValueError(
                f"a cine is float32 with 4 axes, not {self.voxels.dtype} with {self.voxels.ndim}"
            )
        phases, slices = self.voxels.shape[:2]
        if len(self.sources) != phases or any(len(row) != slices for row in self.sources):
            raise ValueError("one source per slice in every phase")
        if len(self.trigger_ms) != slices or any(len(row) != phases for row in self.trigger_ms):
            raise ValueError("one trigger time per phase in every slice")
        if len(self.rr_ms) != slices or len(self.geometry.origins_mm) != slices:
            raise ValueError("one cycle length and one origin per slice")
        self.voxels.setflags(write=False)

    @cached_property
    def digest(self) -> str:
        """SHA-256 over voxels, geometry and times: equal for equal content in any encoding.

        Worked out once, for reading all voxels takes long, and nobody can write to them.
        """
        sha = hashlib.sha256(repr(self.voxels.shape).encode())
        sha.update(np.ascontiguousarray(self.voxels).data)
        numbers = (
            *np.ravel(self.geometry.origins_mm),
            *self.geometry.spacing_mm,
            *np.ravel(self.geometry.directions),
            *np.ravel(self.trigger_ms),
            *self.rr_ms,
        )
        sha.update(" ".join(f"{number + 0.0:.3f}" for number in numbers).replace("-0.000", "0.000").encode())
        return sha.hexdigest()
