"""The heart's centre by geometry alone: where the long-axis planes cross the short-axis stack."""

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from pipeline.volume import CineVolume, Geometry

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

    from pipeline.study import Study

TWO_CHAMBER: Final = re.compile(r"(?<![0-9])2\s*-?\s*ch|two.?chamber|\bvla\b", re.IGNORECASE)
FOUR_CHAMBER: Final = re.compile(r"(?<![0-9])4\s*-?\s*ch|four.?chamber|\bhla\b", re.IGNORECASE)

# Two long-axis planes closer than this to each other, or crossing further than this from the stack's axis,
# tell nothing (degrees).
MIN_CROSSING: Final = 30.0
MAX_TILT: Final = 45.0

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Plane:
    point: tuple[float, float, float]
    normal: tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class LongAxis:
    """The line in which a 2-chamber and a 4-chamber plane cross.

    `places` is its (row, column) in every slice, in pixels from 0, perhaps outside the image; `tilt_deg` the
    angle (0..45) between it and the stack's normal.
    """

    places: tuple[tuple[float, float], ...]
    tilt_deg: float


def plane_crossing(volume: CineVolume, study: "Study") -> tuple[float, float] | None:
    """(row, column) of the middle slice where a 2-chamber and a 4-chamber plane of `study` cross it.

    None if the study holds no such pair, or one that crosses outside the image.
    """
    axis = long_axis_of(volume, study)
    if axis is None:
        return None
    row, column = axis.places[len(axis.places) // 2]
    rows, columns = volume.voxels.shape[2:]
    return (row, column) if 0 <= row < rows and 0 <= column < columns else None


def long_axis_of(volume: CineVolume, study: "Study") -> LongAxis | None:
    """The ventricle's long axis by the planes of `study`; None if it holds no pair that tells."""
    two, four = (list(_planes(study, pattern)) for pattern in (TWO_CHAMBER, FOUR_CHAMBER))
    normal = np.cross(volume.geometry.directions[1], volume.geometry.directions[2])
    usable = [pair for pair in itertools.product(two, four) if _tilt_deg(pair, normal) <= MAX_TILT]
    if not usable:
        return None
    best = min(usable, key=lambda pair: sum(abs(float(np.dot(plane.normal, normal))) for plane in pair))
    places = [_crossing(volume.geometry, slice_, best) for slice_ in range(volume.voxels.shape[1])]
    return LongAxis(tuple(places), _tilt_deg(best, normal))


def _tilt_deg(pair: tuple[_Plane, _Plane], normal: Array) -> float:
    """Between the planes' crossing and the stack's `normal`; infinite where they hardly cross."""
    line = np.cross(pair[0].normal, pair[1].normal)
    sine = float(np.linalg.norm(line))
    if sine < np.sin(np.radians(MIN_CROSSING)):
        return np.inf
    return float(np.degrees(np.arccos(min(1.0, abs(float(np.dot(line / sine, normal)))))))


def _crossing(geometry: Geometry, slice_: int, pair: tuple[_Plane, _Plane]) -> tuple[float, float]:
    """The pixel of one slice in both planes: two linear equations."""
    origin = np.asarray(geometry.origins_mm[slice_])
    steps = np.column_stack([np.asarray(geometry.directions[i]) * geometry.spacing_mm[i] for i in (1, 2)])
    normals = np.asarray([plane.normal for plane in pair])
    offsets = [np.dot(plane.normal, np.asarray(plane.point) - origin) for plane in pair]
    row, column = np.linalg.solve(normals @ steps, np.asarray(offsets))
    return float(row), float(column)


def _planes(study: "Study", pattern: re.Pattern[str]) -> Iterator[_Plane]:
    """One plane for every series whose description says it is this view."""
    seen: set[str] = set()
    for instance in study.instances:
        facts = instance.facts
        uid, words = facts.series_instance_uid, f"{facts.series_description} {facts.protocol_name}"
        if uid not in seen and pattern.search(words) and (plane := _plane_of(instance.header)):
            seen.add(uid)
            yield plane


def _plane_of(header: "Dataset") -> _Plane | None:
    """PS3.3 C.7.6.2.1.1; in enhanced objects the plane of the first frame (C.7.6.16.2.3 and .4)."""
    point, cosines = header.get("ImagePositionPatient"), header.get("ImageOrientationPatient")
    if point is None or cosines is None:
        groups = [
            *header.get("PerFrameFunctionalGroupsSequence", [])[:1],
            *header.get("SharedFunctionalGroupsSequence", []),
        ]
        point = _first(groups, "PlanePositionSequence", "ImagePositionPatient")
        cosines = _first(groups, "PlaneOrientationSequence", "ImageOrientationPatient")
    if point is None or cosines is None or len(point) != 3 or len(cosines) != 6:
        return None
    normal = np.cross(np.asarray(cosines[:3], float), np.asarray(cosines[3:], float))
    length = float(np.linalg.norm(normal))
    if not 0.5 < length < 2.0:
        return None
    x, y, z = (float(value) for value in point)
    a, b, c = (normal / length).tolist()
    return _Plane((x, y, z), (a, b, c))


def _first(groups: list[Any], sequence: str, keyword: str) -> Any:
    found = (item.get(keyword) for group in groups for item in group.get(sequence, [])[:1])
    return next((value for value in found if value is not None), None)
