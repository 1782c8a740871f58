"""The segments of the left ventricle (Cerqueira et al., Circulation 2002;105:539) on a short-axis stack.

Nothing is segmented. What is known is where the planes lie in the patient and where the ventricle's centre
is; the rest is convention, and whoever shows the result says so:

- Level: the stack is taken to reach from the mitral valve to the apex, and its length is cut in thirds.
- Angle: the insertions of the right ventricle are not looked for. The middle of the septum, half-way between
  them, is taken to face half-way between the patient's right and front. In three real studies it lay within
  7, 7 and 30 degrees of there, so that a border may be off by half a segment.
- Distance: a ring of stated radii about the centre stands for the wall.
- The apical cap, segment 17, is never named: across it a plane shows no ring.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import numpy as np
from numpy.typing import NDArray

from pipeline.centre import Centre
from pipeline.centre_planes import long_axis_of
from pipeline.planes import USUAL_AXIS
from pipeline.volume import CineVolume, Geometry

if TYPE_CHECKING:
    from pipeline.study import Study

Level = Literal["basal", "mid", "apical"]
Array = NDArray[np.float64]

LEVELS: Final[tuple[Level, ...]] = ("basal", "mid", "apical")
RINGS_MM: Final[dict[Level, tuple[float, float]]] = {
    "basal": (15.0, 45.0),
    "mid": (15.0, 45.0),
    "apical": (10.0, 35.0),
}
"""Inner and outer radius of the ring that stands for the wall."""

_SIX: Final = ("anterior", "anteroseptal", "inferoseptal", "inferior", "inferolateral", "anterolateral")
_FOUR: Final = ("anterior", "septal", "inferior", "lateral")
SEGMENT_NAMES: Final = (
    *(f"basal {wall}" for wall in _SIX),
    *(f"mid {wall}" for wall in _SIX),
    *(f"apical {wall}" for wall in _FOUR),
    "apex",
)
"""What segments 1 to 17 are called."""

SEPTUM_FACES: Final = (-(0.5**0.5), -(0.5**0.5), 0.0)
"""Half-way between the patient's right and front (LPS): where the middle of the septum is taken to be."""

# Degrees from the planes' normal: to the long axis seen in other views; and to the usual long axis, about
# which the sides of the patient tell the walls apart.
MOST_TILT: Final = 25.0
MOST_UNUSUAL: Final = 50.0
# Left ventricles of adults are about 70 to 120 mm long; other stacks are cut short, or of something else.
LENGTH_MM: Final = (60.0, 150.0)


@dataclass(frozen=True, slots=True, eq=False)
class SegmentMap:
    """Which segment every pixel of a stack belongs to.

    Attributes:
        labels: (slice, row, column) uint8: 0 outside the ring, else the AHA segment, 1 to 16; not writeable.
        levels: per slice.
    """

    labels: NDArray[np.uint8]
    levels: tuple[Level, ...]

    def __post_init__(self) -> None:
        self.labels.setflags(write=False)


@dataclass(frozen=True, slots=True)
class NoSegments:
    """Why a stack cannot be divided, in words for the reader of a report."""

    reason: str


def segments_of(volume: CineVolume, study: "Study", centre: Centre) -> SegmentMap | NoSegments:
    """Name the segments of `volume`, whose slices run from base to apex.

    Args:
        volume: the stack; only its geometry counts.
        study: where its 2- and 4-chamber views cross, each slice has a centre of its own.
        centre: the ventricle's, for studies without such views.
    """
    axis = long_axis_of(volume, study)
    if axis is None and centre.guessed:
        return NoSegments("the images do not show where the left ventricle is")
    normal = _normal(volume.geometry)
    if reason := _unfit(volume.geometry, normal, 0.0 if axis is None else axis.tilt_deg):
        return NoSegments(reason)
    levels = _levels(volume.geometry, normal)
    places = axis.places if axis else ((centre.row, centre.column),) * len(levels)
    rows, columns = volume.voxels.shape[2:]
    labels = np.zeros((len(levels), rows, columns), np.uint8)
    for plane, level, place in zip(labels, levels, places, strict=True):
        if not _inside(place, RINGS_MM[level][1], volume):
            return NoSegments(
                f"a ring of {RINGS_MM[level][1]:.0f} mm about the left ventricle leaves the images"
            )
        _fill(plane, level, place, volume.geometry)
    return SegmentMap(labels, levels)


def _unfit(geometry: Geometry, normal: Array, tilt_deg: float) -> str:
    """Why these planes do not show three levels of a left ventricle; empty if they do."""
    if len(geometry.origins_mm) < len(LEVELS):
        return f"{len(geometry.origins_mm)} slices do not make three levels"
    length_mm = _extent_mm(geometry, normal)
    if not LENGTH_MM[0] <= length_mm <= LENGTH_MM[1]:
        return (
            f"the stack is {length_mm:.0f} mm long; {LENGTH_MM[0]:.0f} to {LENGTH_MM[1]:.0f} mm reach "
            "from the base to the apex"
        )
    if tilt_deg > MOST_TILT:
        return (
            f"the slices lie {tilt_deg:.0f} degrees off the short axis that the 2- and 4-chamber views show"
        )
    if float(normal @ USUAL_AXIS) < np.cos(np.radians(MOST_UNUSUAL)):
        return "the slices do not lie across a heart in its usual place"
    return ""


def _normal(geometry: Geometry) -> Array:
    """Of the planes, unit, towards the apex."""
    normal = np.cross(geometry.directions[1], geometry.directions[2])
    normal = normal / np.linalg.norm(normal)
    return normal if normal @ np.asarray(geometry.directions[0]) > 0 else -normal


def _extent_mm(geometry: Geometry, normal: Array) -> float:
    """From the upper face of the first slice to the lower face of the last, were they without gaps."""
    first, last = (float(np.asarray(geometry.origins_mm[end]) @ normal) for end in (0, -1))
    return abs(last - first) + geometry.spacing_mm[0]


def _levels(geometry: Geometry, normal: Array) -> tuple[Level, ...]:
    depths = (np.asarray(geometry.origins_mm) - np.asarray(geometry.origins_mm[0])) @ normal
    shares = (depths + geometry.spacing_mm[0] / 2) / _extent_mm(geometry, normal)
    return tuple(LEVELS[min(2, max(0, int(share * 3)))] for share in shares.tolist())


def _inside(place: tuple[float, float], radius_mm: float, volume: CineVolume) -> bool:
    """Whether a ring about `place` lies within the image."""
    return all(
        radius_mm <= at * step_mm and radius_mm <= (size - 1 - at) * step_mm
        for at, size, step_mm in zip(
            place, volume.voxels.shape[2:], volume.geometry.spacing_mm[1:], strict=True
        )
    )


def _fill(plane: NDArray[np.uint8], level: Level, place: tuple[float, float], geometry: Geometry) -> None:
    """Write the segments of one slice into its ring."""
    normal = _normal(geometry)
    septum = np.asarray(SEPTUM_FACES) - (np.asarray(SEPTUM_FACES) @ normal) * normal
    lateral = -septum / np.linalg.norm(septum)
    anterior = np.cross(normal, lateral)
    _, down, right = (np.asarray(direction) for direction in geometry.directions)
    rows, columns = np.ogrid[: plane.shape[0], : plane.shape[1]]
    along_down = (rows - place[0]) * geometry.spacing_mm[1]
    along_right = (columns - place[1]) * geometry.spacing_mm[2]
    up = along_down * (down @ anterior) + along_right * (right @ anterior)
    out = along_down * (down @ lateral) + along_right * (right @ lateral)
    inner, outer = RINGS_MM[level]
    distance = np.hypot(up, out)
    ring = (distance >= inner) & (distance <= outer)
    plane[ring] = _numbers(np.degrees(np.arctan2(up[ring], out[ring])), level)


def _numbers(angle_deg: Array, level: Level) -> NDArray[np.uint8]:
    """Segments by the angle from the lateral wall towards the anterior: 90 anterior, 180 septal."""
    if level == "apical":
        return (13 + np.floor((angle_deg - 45.0) % 360.0 / 90.0)).astype(np.uint8)
    first = 1 if level == "basal" else 7
    return (first + np.floor((angle_deg - 60.0) % 360.0 / 60.0)).astype(np.uint8)
