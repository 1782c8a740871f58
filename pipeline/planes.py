"""Planes in the patient: where they lie, which are parallel, which way the apex is."""

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from pipeline.facts import InstanceFacts
from pipeline.frames import FrameFacts
from pipeline.selection import words_of

# From the base to the apex of a usual left ventricle: left, anterior, inferior (LPS).
USUAL_AXIS = np.array([0.74, -0.53, -0.42]) / math.hypot(0.74, 0.53, 0.42)

_PARALLEL = math.cos(math.radians(2.0))
_MOST_VIEWS = 200
_LONG_AXIS_VIEW = re.compile(
    r"\b([234] ?(ch|cv|chamber)|hla|vla|lvot|(two|three|four) chamber|long axis|lax)\b"
)
_OTHER_VIEW = re.compile(r"\b(rvot|axial|transversal?|tra|coronal|cor|sagittal|sag|aort\w*)\b")
_SHORT_AXIS = re.compile(r"\b(sax|sa|ksa|kurz\w*|short ?ax\w*|corte corto|petit axe)\b|\bsax")


@dataclass(frozen=True, slots=True)
class Plane:
    """One frame of one file."""

    instance: InstanceFacts
    frame: FrameFacts

    @property
    def row(self) -> NDArray[np.float64]:
        """Unit vector along a row (the column index grows)."""
        return _axis(self.frame.orientation[:3])

    @property
    def column(self) -> NDArray[np.float64]:
        """Unit vector along a column (the row index grows)."""
        return _axis(self.frame.orientation[3:])

    @property
    def normal(self) -> NDArray[np.float64]:
        """Unit normal, row x column."""
        return normal_of(self.frame.orientation)

    @property
    def centre(self) -> NDArray[np.float64]:
        """The middle of the plane, LPS mm: unlike the corner it stays put when an axis is reversed."""
        frame, shape = self.frame, (self.instance.rows, self.instance.columns)
        return _centre(frame.position_mm, frame.orientation, frame.spacing_mm, shape)


def parallel_groups(planes: Sequence[Plane]) -> list[list[Plane]]:
    """Planes of equal matrix and pixel spacing whose axes agree within 2 degrees, up to their sign."""
    sizes: dict[tuple[object, ...], _Size] = {}
    for plane in planes:
        instance, frame = plane.instance, plane.frame
        size = sizes.setdefault((instance.rows, instance.columns, _rounded(frame.spacing_mm)), _Size())
        size.group_of(plane).append(plane)
    return [group for size in sizes.values() for group in size.groups if group]


@lru_cache(maxsize=1024)
def _rounded(spacing_mm: tuple[float, float]) -> tuple[float, ...]:
    return tuple(round(mm, 2) for mm in spacing_mm)


class _Size:
    """The groups of one matrix and pixel spacing; no heart is seen from more than `_MOST_VIEWS` sides."""

    def __init__(self) -> None:
        self.groups: list[list[Plane]] = []
        self._axes: list[NDArray[np.float64]] = []
        self._known: dict[tuple[float, ...], list[Plane]] = {}

    def group_of(self, plane: Plane) -> list[Plane]:
        """Where `plane` belongs; a list nobody keeps once there are too many views."""
        orientation = plane.frame.orientation
        if orientation not in self._known:
            self._known[orientation] = self._nearest(np.stack([plane.row, plane.column]))
        return self._known[orientation]

    def _nearest(self, axes: NDArray[np.float64]) -> list[Plane]:
        if self._axes:
            alike = np.abs(np.einsum("nij,ij->ni", np.stack(self._axes), axes)).min(axis=1)
            if alike.max() > _PARALLEL:
                return self.groups[int(alike.argmax())]
        group: list[Plane] = []
        if len(self.groups) < _MOST_VIEWS:
            self.groups.append(group)
            self._axes.append(axes)
        return group


def long_axis(planes: Sequence[Plane]) -> tuple[NDArray[np.float64], str]:
    """From the base to the apex, and how we know: from two long-axis views of the study, else the usual."""
    views = [plane for plane in planes if _LONG_AXIS_VIEW.search(words_of(plane.instance))]
    views = [plane for plane in views if not is_short_axis_by_name(plane.instance)]
    normals = {tuple(plane.normal.round(4).tolist()) for plane in views}
    if len(normals) >= 2:
        matrix = np.array(sorted(normals))
        spread, axes = np.linalg.eigh(matrix.T @ matrix)
        axis = axes[:, 0] * (1 if axes[:, 0] @ USUAL_AXIS > 0 else -1)
        # Two views of one plane leave the axis open, and a mislabelled one turns it out of the chest.
        if spread[1] > 0.2 and axis @ USUAL_AXIS > math.cos(math.radians(50)):
            return axis, f"long axis from {len(normals)} long-axis views"
    return USUAL_AXIS, "usual long axis"


def is_short_axis_by_name(instance: InstanceFacts) -> bool:
    """Whether a description says short axis."""
    return _SHORT_AXIS.search(words_of(instance)) is not None


def is_other_view_by_name(instance: InstanceFacts) -> bool:
    """Whether a description names another view, and not the short axis."""
    words = words_of(instance)
    other = _LONG_AXIS_VIEW.search(words) or _OTHER_VIEW.search(words)
    return other is not None and not is_short_axis_by_name(instance)


def commonest_orientation(planes: Sequence[Plane]) -> tuple[float, ...]:
    """The orientation most planes have; ties go to the smallest, whatever came first."""
    counts = Counter(plane.frame.orientation for plane in planes)
    return min(counts, key=lambda orientation: (-counts[orientation], orientation))


def normal_of(orientation: Sequence[float]) -> NDArray[np.float64]:
    """Unit normal, row x column, of an Image Orientation (Patient)."""
    return _unit(np.cross(orientation[:3], orientation[3:]))


@lru_cache(maxsize=1024)
def _axis(direction: tuple[float, float, float]) -> NDArray[np.float64]:
    """The unit vector along `direction`, read-only: most planes of a study share two."""
    axis = _unit(direction)
    axis.flags.writeable = False
    return axis


@lru_cache(maxsize=1024)
def _centre(
    position_mm: tuple[float, ...],
    orientation: tuple[float, ...],
    spacing_mm: tuple[float, float],
    shape: tuple[int, int],
) -> NDArray[np.float64]:
    """The middle of a plane of `shape` (rows, columns), read-only: the phases of a slice share it."""
    down, right = spacing_mm
    rows, columns = shape
    centre = (
        np.asarray(position_mm)
        + _axis(orientation[:3]) * (right * (columns - 1) / 2)
        + _axis(orientation[3:]) * (down * (rows - 1) / 2)
    )
    centre.flags.writeable = False
    return centre


def _unit(vector: Sequence[float] | NDArray[np.float64]) -> NDArray[np.float64]:
    array = np.asarray(vector, dtype=np.float64)
    return array / np.linalg.norm(array)
