"""Where a simulated heart lies in the patient, and the planes a technologist would lay through it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.phantom.heart import Heart
from pipeline.phantom.scan import Scan
from pipeline.volume import Geometry, Vector

Floats = NDArray[np.floating[Any]]

_USUAL_AXIS = np.array((0.74, -0.53, -0.42))
_MIDDLE_MM = np.array((46.0, -22.0, 0.0))
_DIGITS = 6


@dataclass(frozen=True, slots=True, eq=False)
class Placement:
    """The heart's frame in patient coordinates (LPS, mm).

    `origin_mm` is the centre of the mitral plane at end-diastole; `axes` holds as rows the unit vectors
    right and down in the short-axis image and along the long axis towards the apex.
    """

    origin_mm: Floats
    axes: Floats

    def to_patient(self, local_mm: Floats) -> Floats:
        """LPS mm of points given as (..., (right, down, apex)) in mm."""
        points: Floats = self.origin_mm + local_mm @ self.axes
        return points

    def to_local(self, patient_mm: Floats) -> Floats:
        """(..., (right, down, apex)) mm of LPS points."""
        points: Floats = (patient_mm - self.origin_mm) @ self.axes.T
        return points


def place(heart: Heart) -> Placement:
    """The heart's frame: base to apex runs left, forward and down, tilted by what `heart` says.

    The image's rows are level, so that its top faces the head and its left the right ventricle. The axes are
    rounded to what a DICOM decimal string carries, so that every encoding gives the same.
    """
    axis = _axis(heart)
    return _placed(heart, axis, np.array((-axis[1], axis[0], 0.0)))


def place_chest(heart: Heart) -> Placement:
    """The frame the chest is drawn in: the heart's, turned about the long axis.

    The chest wall then passes over the top of the short-axis image, where the demonstration weights met it.
    """
    axis = _axis(heart)
    return _placed(heart, axis, np.array((-axis[2], 0.0, axis[0])))


def sax_geometry(heart: Heart, scan: Scan) -> Geometry:
    """The short-axis stack, first plane at the base."""
    placement = place(heart)
    rows, columns = scan.matrix
    corner = np.array(
        (
            -heart.offset_mm[0] - (columns - 1) / 2 * scan.spacing_mm,
            -heart.offset_mm[1] - (rows - 1) / 2 * scan.spacing_mm,
        )
    )
    origins = [placement.to_patient(np.array((*corner, depth))) for depth in slice_depths_mm(heart, scan)]
    right, down, axis = (_vector(vector) for vector in placement.axes)
    distance = scan.slice_distance_mm
    return Geometry(
        tuple(_vector(np.round(origin, _DIGITS)) for origin in origins),
        (distance, scan.spacing_mm, scan.spacing_mm),
        (axis, down, right),
    )


def slice_depths_mm(heart: Heart, scan: Scan) -> Floats:
    """Depth of every plane below the mitral plane of end-diastole, base first."""
    middle = heart.length_mm / 2 + heart.stack_offset_mm
    depths: Floats = middle + (np.arange(scan.slices) - (scan.slices - 1) / 2) * scan.slice_distance_mm
    return depths


def _axis(heart: Heart) -> Floats:
    tilt = np.radians(heart.axis_tilt_deg)
    return _unit(_unit(_USUAL_AXIS) + np.array((np.tan(tilt[0]), 0.0, np.tan(tilt[1]))) * 0.7)


def _placed(heart: Heart, axis: Floats, across: Floats) -> Placement:
    """The frame about `axis` whose rows run along `across`."""
    right = _unit(across)
    right, down = (_unit(np.round(vector, _DIGITS)) for vector in (right, np.cross(right, axis)))
    axes = np.array((right, down, _unit(np.cross(down, right))))
    return Placement(_MIDDLE_MM - axes[2] * heart.length_mm / 2, axes)


def _unit(vector: Floats) -> Floats:
    unit: Floats = vector / np.linalg.norm(vector)
    return unit


def _vector(values: Floats) -> Vector:
    x, y, z = (float(value) for value in values)
    return (x, y, z)
