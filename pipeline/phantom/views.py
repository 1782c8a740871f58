"""Every acquisition of a simulated study, ready to be written: the short-axis stack and its companions."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.phantom.backwards import playing_order
from pipeline.phantom.motion import contraction
from pipeline.phantom.oblique import look
from pipeline.phantom.placement import place
from pipeline.phantom.scan import Phantom
from pipeline.phantom.ventricle import solve
from pipeline.volume import Geometry, Vector

Floats = NDArray[np.floating[Any]]

_TURN_2CH_DEG = 75.0


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """Parallel planes through the heart.

    Attributes:
        name: "SAX", "2CH", "4CH", "AXIAL", "CORONAL" or "SAGITTAL".
        voxels: (phase, slice, row, column), whole numbers from 0 to 2047.
        geometry: LPS mm.
        trigger_ms: [slice][phase] after the R wave.
        rr_ms: per slice.
        thickness_mm: of a plane.
    """

    name: str
    voxels: NDArray[np.float32]
    geometry: Geometry
    trigger_ms: tuple[tuple[float, ...], ...]
    rr_ms: tuple[float, ...]
    thickness_mm: float

    @property
    def beats(self) -> bool:
        """Whether it shows more than one phase."""
        return len(self.voxels) > 1


def short_axis(phantom: Phantom) -> View:
    """The stack as it is in the phantom's volume."""
    volume = phantom.volume
    thickness = phantom.scan.thickness_mm
    return View("SAX", volume.voxels, volume.geometry, volume.trigger_ms, volume.rr_ms, thickness)


def companions(phantom: Phantom) -> tuple[View, ...]:
    """Two long-axis cines of one slice each and three localizers, as found in most studies."""
    heart = phantom.heart
    turn = np.radians(heart.rotation_deg)
    lateral = np.array((np.cos(turn), -np.sin(turn), 0.0))
    turn_2ch = turn + np.radians(_TURN_2CH_DEG)
    anterior = np.array((np.cos(turn_2ch), -np.sin(turn_2ch), 0.0))
    base = np.array((0.0, 0.0, -1.0))
    axes = place(heart).axes
    left, back, up = axes.T
    return (
        _view(phantom, "4CH", lateral, base),
        _view(phantom, "2CH", anterior, base),
        _view(phantom, "AXIAL", left, back),
        _view(phantom, "CORONAL", left, -up),
        _view(phantom, "SAGITTAL", back, -up),
    )


def _view(phantom: Phantom, name: str, right: Floats, down: Floats) -> View:
    """A plane through the middle of the ventricle; `right` and `down` in the heart's frame."""
    heart, scan = phantom.heart, phantom.scan
    rows, columns = scan.matrix
    spacing = scan.spacing_mm
    across = (np.arange(columns) - (columns - 1) / 2) * spacing
    along = (np.arange(rows) - (rows - 1) / 2) * spacing
    middle = np.array((0.0, 0.0, heart.length_mm / 2))
    local = middle + along[:, None, None] * down + across[None, :, None] * right
    phases = scan.phases if name.endswith("CH") else 1
    beat = contraction(playing_order(heart, phases) / scan.phases, heart.systole, heart.early_share)
    rng = np.random.default_rng((0x56494557, heart.seed, *name.encode()))
    voxels = look(solve(heart), local, beat, spacing, rng)[:, None]
    interval = round(heart.rr_ms / scan.phases)
    return View(
        name,
        voxels,
        _geometry(phantom, local[0, 0], right, down),
        (tuple(float(interval * phase) for phase in range(phases)),),
        (float(interval * scan.phases),),
        scan.thickness_mm,
    )


def _geometry(phantom: Phantom, corner: Floats, right: Floats, down: Floats) -> Geometry:
    placement = place(phantom.heart)
    right, down = right @ placement.axes, down @ placement.axes
    normal = np.cross(right, down)
    spacing = (phantom.scan.thickness_mm, phantom.scan.spacing_mm, phantom.scan.spacing_mm)
    origin = np.round(placement.to_patient(corner), 6)
    return Geometry((_vector(origin),), spacing, (_vector(normal), _vector(down), _vector(right)))


def _vector(values: Floats) -> Vector:
    x, y, z = (float(value) for value in values)
    return (x, y, z)
