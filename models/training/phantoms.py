"""Phantoms as the network sees them: many scanners' geometries, prepared by the real preprocessing."""

import hashlib
import json
import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pipeline.centre import Centre, heart_centre
from pipeline.phantom import Phantom, Scan, draw_heart, render
from pipeline.prepare import prepare, to_grid
from pipeline.preprocessing import Preprocessing

log = logging.getLogger(__name__)

# (matrix, spacing mm): fields of view a cardiac scan has, from coarse to fine
FIELDS: Final = ((112, 2.4), (128, 2.0), (144, 1.8), (160, 1.6), (192, 1.4))
CENTRE_ERROR_MM: Final = 8.0

Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """Prepared phantoms, one per seed.

    Attributes:
        cine: (sample, phase, slice, row, column) float16 in 0..1.
        scar, myocardium: the same shape, uint8: 100 times the share of the voxel that is scar, or wall.
        label: (sample,) 1 if the heart has a scar.
        seeds: the heart's seeds.
    """

    cine: NDArray[np.float16]
    scar: NDArray[np.uint8]
    myocardium: NDArray[np.uint8]
    label: NDArray[np.float32]
    seeds: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.seeds)


def draw_scan(seed: int) -> Scan:
    """A short-axis protocol that a site might use, other for every seed."""
    rng = np.random.default_rng((0x5343, seed))
    slices = int(rng.integers(6, 15))
    matrix, spacing_mm = FIELDS[int(rng.integers(len(FIELDS)))]
    distance_mm = float(np.clip(rng.normal(95 / slices, 0.8), 6.0, 17.0))
    return Scan(
        slices=slices,
        phases=int(rng.integers(12, 31)),
        matrix=(matrix, matrix),
        spacing_mm=spacing_mm * float(rng.uniform(0.96, 1.04)),
        slice_distance_mm=distance_mm,
        thickness_mm=min(distance_mm, float(rng.uniform(6.0, 10.0))),
        noise=float(rng.uniform(0.01, 0.05)),
    )


def draw_samples(seeds: Sequence[int], recipe: Preprocessing, *, found: bool, cache: Path | None) -> Samples:
    """The phantoms of `seeds`, alternately without and with scar.

    With `found` the crop lies where the node would put it; without, about the true centre with an error, so
    that the network learns not to count on it. `cache` is a folder that remembers them.
    """
    key = json.dumps([list(seeds), recipe.as_json(), found, asdict(draw_scan(0))])
    kept = cache / f"phantoms-{hashlib.sha256(key.encode()).hexdigest()[:16]}.npz" if cache else None
    if kept and kept.exists():
        with np.load(kept, allow_pickle=False) as arrays:
            return Samples(*(arrays[name] for name in Samples.__slots__))
    samples = _drawn(seeds, recipe, found)
    if kept:
        np.savez(kept, **{name: getattr(samples, name) for name in Samples.__slots__})
    return samples


def draw_phantom(seed: int) -> Phantom:
    """The phantom of a seed: even seeds are healthy, odd ones have a scar."""
    return render(draw_heart(seed, scar=seed % 2 == 1), draw_scan(seed))


def _drawn(seeds: Sequence[int], recipe: Preprocessing, found: bool) -> Samples:
    shape = (len(seeds), recipe.phases, recipe.slices, recipe.pixels, recipe.pixels)
    cine = np.empty(shape, np.float16)
    masks = [np.empty(shape, np.uint8) for _ in range(2)]
    label = np.empty(len(seeds), np.float32)
    for index, seed in enumerate(seeds):
        phantom = draw_phantom(seed)
        centre = heart_centre(phantom.volume) if found else _true_centre(phantom, seed)
        prepared = prepare(phantom.volume, recipe, centre)
        cine[index] = prepared.array
        label[index] = phantom.truth.scarred
        for kept, mask in zip(masks, (phantom.truth.scar, phantom.truth.myocardium), strict=True):
            kept[index] = np.rint(100 * to_grid(mask.astype(np.float32), prepared, phantom.volume))
        if (index + 1) % 50 == 0:
            log.info("%d of %d phantoms drawn", index + 1, len(seeds))
    return Samples(cine, masks[0], masks[1], label, np.asarray(seeds, np.int64))


def _true_centre(phantom: Phantom, seed: int) -> Centre:
    row, column = np.mean(phantom.truth.centres_px, axis=0)
    error = np.random.default_rng((0x4345, seed)).uniform(-CENTRE_ERROR_MM, CENTRE_ERROR_MM, 2)
    error = error / phantom.scan.spacing_mm
    return Centre(float(row + error[0]), float(column + error[1]), "true centre with an error")
