"""One simulated heart: who it is, before any scanner looks at it.

The design makes regional motion the only reliable sign of scar. Size, wall thickness, rotation, heart rate
and signal are drawn alike for healthy and scarred hearts. One healthy heart in four has a globally reduced
ejection fraction; a scarred heart draws its ejection fraction from the same mixture and loses at most a few
points of it, its remote myocardium making up for the rest. The cavity's inward motion is solved for, so that
the drawn ejection fraction is met. Healthy walls are uneven by a few per cent, and the scar's severity and
extent vary.
"""

from dataclasses import dataclass, field

import numpy as np

from pipeline.phantom.segments import grow
from pipeline.phantom.variant import Variant


@dataclass(frozen=True, slots=True)
class Scar:
    """A scar in whole AHA segments.

    `severity` is the share of the inward motion lost (1: akinetic, above 1: dyskinetic), `thinning` the share
    of the diastolic wall thickness lost, `brightening` the relative gain in signal.
    """

    segments: tuple[int, ...]
    severity: float
    thinning: float
    brightening: float


@dataclass(frozen=True, slots=True)
class Signals:
    """Steady-state free precession signal of the tissues, arbitrary units."""

    blood: float
    myocardium: float
    fat: float
    muscle: float
    liver: float
    lung: float


@dataclass(frozen=True, slots=True)
class Heart:
    """Everything that is particular to one simulated patient; millimetres, degrees, milliseconds.

    Attributes:
        edv_ml: cavity volume at end-diastole, papillary muscles included.
        ejection_fraction: 0 to 1, met exactly at full contraction.
        length_mm: mitral plane to endocardial apex at end-diastole.
        wall_mm: wall thickness at end-diastole, away from scar.
        shortening: share of the long axis lost at end-systole.
        unevenness: cosine and sine amplitudes (1 and 2 per turn) of the healthy wall's motion.
        oval: cosine and sine amplitude (2 per turn) by which the cross-section departs from a circle.
        rotation_deg: of the whole heart in the image, counter-clockwise.
        offset_mm: of the left ventricle from the image centre, (right, down).
        drift: slope of the long axis against the stack normal, (right, down).
        sway_mm: shift of the ventricle at end-systole, (right, down).
        stack_offset_mm: of the stack's middle from the ventricle's middle, towards the apex.
        axis_tilt_deg: how far the stack turns away from the usual base-to-apex direction, two angles.
        shading: coil sensitivity slopes per 100 mm (right, down, towards the apex).
        variant: no part of the `repr`, which names the studies of hearts without one.
    """

    seed: int
    edv_ml: float
    ejection_fraction: float
    length_mm: float
    wall_mm: float
    shortening: float
    twist_deg: float
    systole: float
    early_share: float
    rr_ms: float
    rv_width_mm: float
    unevenness: tuple[float, float, float, float]
    oval: tuple[float, float]
    rotation_deg: float
    offset_mm: tuple[float, float]
    drift: tuple[float, float]
    sway_mm: tuple[float, float]
    stack_offset_mm: float
    axis_tilt_deg: tuple[float, float]
    body_scale: float
    body_fat_mm: float
    shading: tuple[float, float, float]
    signals: Signals
    scar: Scar | None
    variant: Variant = field(default=Variant(), repr=False)


def draw_heart(seed: int, *, scar: bool | None = None) -> Heart:
    """The heart that `seed` (0 or more) stands for.

    Args:
        seed: the only source of chance; equal seeds give equal hearts.
        scar: True or False to force; None lets the seed decide, evenly.
    """
    rng = np.random.default_rng((0x48454152, seed))
    scarred = bool(rng.random() < 0.5) if scar is None else scar
    drawn = _draw_scar(np.random.default_rng((0x53434152, seed))) if scarred else None
    ejection = _draw_ejection(rng, drawn)
    edv_ml = float(np.clip(rng.normal(145, 30), 85, 230) * (1 + 1.1 * max(0.0, 0.5 - ejection)))
    pair = rng.normal(0, 1, (6, 2)).tolist()
    return Heart(
        seed=seed,
        edv_ml=edv_ml,
        ejection_fraction=ejection,
        length_mm=float(88 * (edv_ml / 145) ** (1 / 3) * rng.uniform(0.94, 1.08)),
        wall_mm=float(rng.uniform(7.5, 11.0)),
        shortening=float(0.21 * ejection * rng.uniform(0.85, 1.15)),
        twist_deg=float(rng.uniform(6, 16)),
        systole=float(rng.uniform(0.31, 0.39)),
        early_share=float(rng.uniform(0.60, 0.75)),
        rr_ms=float(np.clip(rng.normal(880, 130), 600, 1250)),
        rv_width_mm=float(rng.uniform(24, 34)),
        unevenness=(0.035 * pair[0][0], 0.035 * pair[0][1], 0.02 * pair[1][0], 0.02 * pair[1][1]),
        oval=(0.025 * pair[5][0], 0.025 * pair[5][1]),
        rotation_deg=float(rng.normal(0, 10)),
        offset_mm=(5 * pair[2][0], 5 * pair[2][1]),
        drift=(0.06 * pair[3][0], 0.06 * pair[3][1]),
        sway_mm=(-1.0 + pair[4][0], 0.8 * pair[4][1]),
        stack_offset_mm=float(rng.uniform(-3, 3)),
        axis_tilt_deg=(float(rng.normal(0, 5)), float(rng.normal(0, 5))),
        body_scale=float(rng.uniform(0.92, 1.08)),
        body_fat_mm=float(rng.uniform(9, 24)),
        shading=(float(rng.normal(-0.15, 0.08)), float(rng.normal(-0.3, 0.1)), float(rng.normal(0.1, 0.08))),
        signals=_draw_signals(rng),
        scar=drawn,
    )


def _draw_scar(rng: np.random.Generator) -> Scar:
    return Scar(
        segments=grow(rng, int(rng.integers(2, 6))),
        severity=float(rng.uniform(0.65, 1.05)),
        thinning=float(rng.uniform(0.0, 0.35)),
        brightening=float(rng.uniform(0.02, 0.12)),
    )


def _draw_ejection(rng: np.random.Generator, scar: Scar | None) -> float:
    """Global function: one mixture for everybody, and what remote myocardium cannot make up for."""
    preserved = np.clip(rng.normal(0.60, 0.05), 0.45, 0.70)
    reduced = rng.uniform(0.28, 0.48)
    ejection = float(reduced if rng.random() < 0.25 else preserved)
    if scar is None:
        return ejection
    return max(0.22, ejection - 0.012 * len(scar.segments) * scar.severity)


def _draw_signals(rng: np.random.Generator) -> Signals:
    spread = rng.uniform(0.92, 1.08, 6)
    return Signals(
        blood=float(320 * spread[0]),
        myocardium=float(100 * spread[1]),
        fat=float(380 * spread[2]),
        muscle=float(70 * spread[3]),
        liver=float(95 * spread[4]),
        lung=float(14 * spread[5]),
    )
