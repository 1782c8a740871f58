"""Training cines varied as other scans might show the same heart: a change is drawn, then applied.

Flips are off by default. A mirrored heart has its right ventricle on the other side, which no patient but one
with situs inversus shows; where scar lies by territory, a network that learned from mirrored hearts has
unlearned left and right.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Augmentation:
    """How far cines are varied; every change is drawn evenly from its range.

    Attributes:
        rotation_deg: in plane, to either side.
        shift_px: in plane, in pixels of the network's grid, along either axis.
        flip: mirror rows and columns, each every second time.
        gain, offset: brightness times 1 ± gain, plus or minus offset (of 0..1).
        gamma: contrast: to the power of 1 ± gamma.
        roll: begin the beat at any phase; the network then cannot count on the first being end-diastole.
    """

    rotation_deg: float = 15.0
    shift_px: float = 3.0
    flip: bool = False
    gain: float = 0.1
    offset: float = 0.05
    gamma: float = 0.15
    roll: bool = False

    def __post_init__(self) -> None:
        if min(self.rotation_deg, self.shift_px, self.gain, self.offset, self.gamma) < 0:
            raise ValueError("an augmentation's ranges are not negative")
        if max(self.gain, self.gamma) >= 1:
            raise ValueError("gain and gamma are shares below 1")


NONE: Final = Augmentation(rotation_deg=0, shift_px=0, gain=0, offset=0, gamma=0)
"""Cines as they are."""


@dataclass(frozen=True, slots=True)
class Change:
    """What is done to one cine: nothing, unless said otherwise."""

    angle_deg: float = 0.0
    shift_px: tuple[float, float] = (0.0, 0.0)
    flipped: tuple[bool, bool] = (False, False)
    gain: float = 1.0
    offset: float = 0.0
    gamma: float = 1.0
    rolled: int = 0


def draw_change(augmentation: Augmentation, phases: int, rng: np.random.Generator) -> Change:
    """One change within `augmentation`; the same for the same state of `rng`."""
    far = rng.uniform(-1, 1, 6)
    coins = rng.random(2) < 0.5
    start = int(rng.integers(phases))
    return Change(
        angle_deg=float(far[0] * augmentation.rotation_deg),
        shift_px=(float(far[1] * augmentation.shift_px), float(far[2] * augmentation.shift_px)),
        flipped=(augmentation.flip and bool(coins[0]), augmentation.flip and bool(coins[1])),
        gain=float(1 + far[3] * augmentation.gain),
        offset=float(far[4] * augmentation.offset),
        gamma=float(1 + far[5] * augmentation.gamma),
        rolled=start if augmentation.roll else 0,
    )


def apply_change(cine: Array, change: Change) -> Array:
    """`cine` (phase, slice, row, column) in 0..1 after `change`, in 0..1; the given array stays as it is."""
    moved = np.roll(cine, -change.rolled, axis=0) if change.rolled else cine
    for axis, flipped in zip((-2, -1), change.flipped, strict=True):
        moved = np.flip(moved, axis) if flipped else moved
    if change.angle_deg or any(change.shift_px):
        moved = _moved(moved, change)
    bright = np.clip(moved, 0, 1) ** np.float32(change.gamma) * np.float32(change.gain)
    varied: Array = np.clip(bright + np.float32(change.offset), 0, 1).astype(np.float32)
    return varied


def _moved(cine: Array, change: Change) -> Array:
    """Turned about the middle, then shifted; bilinear, the border's pixels repeated outside."""
    rows, columns = cine.shape[-2:]
    middle = np.array([(rows - 1) / 2, (columns - 1) / 2])
    row, column = np.mgrid[:rows, :columns].astype(float) - middle[:, None, None]
    row, column = row - change.shift_px[0], column - change.shift_px[1]
    cosine, sine = np.cos(np.deg2rad(change.angle_deg)), np.sin(np.deg2rad(change.angle_deg))
    source_row = np.clip(cosine * row - sine * column + middle[0], 0, rows - 1)
    source_column = np.clip(sine * row + cosine * column + middle[1], 0, columns - 1)
    return _bilinear(cine, source_row, source_column)


def _bilinear(cine: Array, row: NDArray[np.float64], column: NDArray[np.float64]) -> Array:
    rows, columns = cine.shape[-2:]
    top, left = np.floor(row).astype(int), np.floor(column).astype(int)
    down, right = (row - top).astype(np.float32), (column - left).astype(np.float32)
    below, beside = np.minimum(top + 1, rows - 1), np.minimum(left + 1, columns - 1)
    flat = cine.reshape(*cine.shape[:-2], rows * columns)

    def at(where_row: NDArray[np.int_], where_column: NDArray[np.int_]) -> Array:
        taken: Array = np.take(flat, where_row * columns + where_column, axis=-1)
        return taken

    upper = at(top, left) * (1 - right) + at(top, beside) * right
    lower = at(below, left) * (1 - right) + at(below, beside) * right
    return np.asarray(upper * (1 - down) + lower * down, np.float32)
