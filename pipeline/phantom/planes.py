"""Draws the heart's surfaces into short-axis planes, all slices and phases at once."""

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.phantom.discs import aortic_root, papillary, share
from pipeline.phantom.paint import Shares
from pipeline.phantom.scan import Scan
from pipeline.phantom.surfaces import Layers, layers
from pipeline.phantom.ventricle import Ventricle

Floats = NDArray[np.floating[Any]]
Pixels = NDArray[np.float32]

_ANGLES = 192
_NAMES = tuple(field.name for field in fields(Layers))


@dataclass(frozen=True, slots=True, eq=False)
class Planes:
    """Short-axis planes through a beating heart.

    Attributes:
        contraction: per phase, 0 to 1.
        depth_mm: per slice, below the mitral plane of end-diastole.
        centre_mm: (phase, slice, (right, down)), where the long axis crosses the plane.
    """

    contraction: Floats
    depth_mm: Floats
    centre_mm: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Drawing:
    """The heart's shares in the window of the image that holds all of it.

    Attributes:
        window: the (rows, columns) of the image that were drawn.
        shares: for signal, (phase, slice, row, column) within the window.
        cavity, myocardium, scar: shares of the left ventricle alone, the same shape.
    """

    window: tuple[slice, slice]
    shares: Shares
    cavity: Pixels
    myocardium: Pixels
    scar: Pixels


def draw(ventricle: Ventricle, scan: Scan, planes: Planes) -> Drawing:
    """The shares of every tissue in every voxel of `planes`."""
    zeta = zeta_of(ventricle, planes, np.linspace(-0.5, 0.5, scan.subplanes + 1) * scan.thickness_mm)
    angles = np.arange(_ANGLES) * (360.0 / _ANGLES)
    own = angles - ventricle.heart.rotation_deg
    walls = layers(ventricle, zeta[..., None], own, planes.contraction[:, None, None, None])
    window, x, y = _window(ventricle, scan, planes, walls.fat)
    radius, turn = _polar(planes, x, y)
    bins = np.rint(turn * np.float32(_ANGLES / (2 * np.pi))).astype(np.intp) % _ANGLES
    cells = np.arange(bins.shape[0] * bins.shape[1], dtype=np.intp).reshape(bins.shape[:2]) * _ANGLES
    means = _average(walls, zeta, radius, bins + cells[..., None, None], scan.spacing_mm)
    middle = zeta[:, :, zeta.shape[2] // 2, None, None]
    turn = np.degrees(turn, out=turn) - np.float32(ventricle.heart.rotation_deg)
    return _drawing(window, means, _disc_shares(ventricle, planes, middle, (radius, turn), scan.spacing_mm))


def zeta_of(ventricle: Ventricle, planes: Planes, offsets_mm: Floats) -> Floats:
    """Place along the axis (phase, slice, subplane): the apex stays, the mitral plane comes down."""
    heart = ventricle.heart
    descent = heart.length_mm * heart.shortening * planes.contraction
    depth = planes.depth_mm[:, None] + offsets_mm
    zeta: Floats = (depth - descent[:, None, None]) / (heart.length_mm - descent)[:, None, None]
    return zeta


def _window(
    ventricle: Ventricle, scan: Scan, planes: Planes, outermost_mm: Floats
) -> tuple[tuple[slice, slice], Pixels, Pixels]:
    """The rows and columns that hold the heart in every phase, and their places (mm)."""
    turn = np.arange(_ANGLES) * (2 * np.pi / _ANGLES)
    reach = outermost_mm.max(axis=2)
    across = planes.centre_mm[..., 0, None] + reach * np.cos(turn)
    down = planes.centre_mm[..., 1, None] - reach * np.sin(turn)
    ranges = []
    places = []
    for along, count, offset in zip(
        (down, across), scan.matrix, ventricle.heart.offset_mm[::-1], strict=True
    ):
        place = (np.arange(count) - (count - 1) / 2) * scan.spacing_mm - offset
        first = int(np.searchsorted(place, along.min() - scan.spacing_mm))
        last = int(np.searchsorted(place, along.max() + scan.spacing_mm))
        ranges.append(slice(first, max(last, first + 1)))
        places.append(place[ranges[-1]].astype(np.float32))
    return (ranges[0], ranges[1]), places[1], places[0]


def _polar(planes: Planes, x_mm: Pixels, y_mm: Pixels) -> tuple[Pixels, Pixels]:
    """Distance (mm) from the long axis and angle (radians, counter-clockwise as displayed) of every pixel."""
    centre = planes.centre_mm.astype(np.float32)
    right = x_mm - centre[..., 0, None]
    up = centre[..., 1, None] - y_mm
    radius = np.sqrt(right[..., None, :] ** 2 + up[..., :, None] ** 2)
    return radius, np.arctan2(up[..., :, None], right[..., None, :])


def _average(
    walls: Layers, zeta: Floats, radius: Pixels, lookup: NDArray[np.intp], edge_mm: float
) -> dict[str, Pixels]:
    """Mean over the subplanes of a voxel's share inside every surface and of the ventricle's parts.

    `walls` and `zeta` hold the faces of the subplanes, one more than there are subplanes.
    """
    count = zeta.shape[2] - 1
    names = [*_NAMES, "cavity", "myocardium"]
    means = {name: np.zeros(radius.shape, np.float32) for name in names}
    for k in range(count):
        ventricular = (zeta[:, :, k : k + 2].mean(axis=2) >= 0).astype(np.float32)[..., None, None]
        inside = {
            name: _inside(getattr(walls, name)[:, :, k : k + 2], radius, lookup, edge_mm)
            for name in _NAMES
            if name != "scar"
        }
        wall = (inside["epi"] - inside["endo"]) * ventricular
        means["cavity"] += inside["endo"] * ventricular
        means["myocardium"] += wall
        if walls.scar.any():
            means["scar"] += wall * walls.scar[:, :, k].astype(np.float32).take(lookup, mode="clip")
        for name, part in inside.items():
            means[name] += part
    for mean in means.values():
        mean *= np.float32(1 / count)
    return means


def _inside(faces: Floats, radius: Pixels, lookup: NDArray[np.intp], edge_mm: float) -> Pixels:
    """The share of each voxel inside a surface, from its radius over angle on both faces of a subplane.

    A wall that slants through the plane is blurred by as much as it moves between the faces.
    """
    near, far = faces[:, :, 0], faces[:, :, 1]
    steepness = 1 / np.hypot(near - far, edge_mm)
    inside = ((near + far) / 2 * steepness + 0.5).astype(np.float32).take(lookup, mode="clip")
    inside -= radius * steepness.astype(np.float32).take(lookup, mode="clip")
    return np.clip(inside, 0, 1, out=inside)


def _disc_shares(
    ventricle: Ventricle, planes: Planes, zeta: Floats, polar: tuple[Pixels, Pixels], edge_mm: float
) -> dict[str, Pixels]:
    muscles = papillary(ventricle, zeta, planes.contraction[:, None, None, None])
    return {
        "muscle": share(muscles, *polar, edge_mm),
        "root": share([aortic_root(ventricle, zeta, 0.0)], *polar, edge_mm),
        "root_wall": share([aortic_root(ventricle, zeta, 2.0)], *polar, edge_mm),
    }


def _drawing(window: tuple[slice, slice], means: dict[str, Pixels], extra: dict[str, Pixels]) -> Drawing:
    cavity, myocardium = means.pop("cavity"), means.pop("myocardium")
    extra["muscle"] = extra["muscle"] * cavity
    return Drawing(window, Shares(**means, **extra), cavity, myocardium, means["scar"])
