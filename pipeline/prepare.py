"""From the scanner's grid to the network's and back. The recipe is part of the model version.

In-plane: linear resampling (SimpleITK) to square pixels in a square about the heart centre. Through plane:
the middle slices, or the outer ones repeated; never interpolated. In time: linear and cyclic, on the fraction
of each slice's own cycle. Intensity: one percentile window for the whole crop, mapped to 0..1.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from pipeline.centre import Centre
from pipeline.errors import IncompleteCine, UnreadableInstance
from pipeline.preprocessing import Preprocessing
from pipeline.volume import CineVolume

Voxels = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """A volume on the network's grid, and what is needed to find the way back.

    Attributes:
        array: (phase, slice, row, column) float32 in 0..1.
        recipe: what was done.
        centre: about which pixel of the volume the crop lies.
        slices: for every slice of `array`, the slice of the volume it shows; edges repeat in short stacks.
        notes: sentences for the reader.
    """

    array: Voxels
    recipe: Preprocessing
    centre: Centre
    slices: tuple[int, ...]
    notes: tuple[str, ...] = ()


def prepare(volume: CineVolume, recipe: Preprocessing, centre: Centre) -> Prepared:
    """`volume` on the network's grid.

    Raises IncompleteCine for fewer slices than the recipe allows, UnreadableInstance for blank images.
    """
    phases, slices = volume.voxels.shape[:2]
    chosen = _choose_slices(slices, recipe)
    array = _window(_resample(volume.voxels, volume, recipe, centre, chosen), recipe)
    return Prepared(array, recipe, centre, chosen, _notes(phases, slices, chosen, recipe))


def to_grid(values: Voxels, prepared: Prepared, volume: CineVolume) -> Voxels:
    """Any `values` on the scanner's grid, a mask for example, resampled as `volume` was; not windowed."""
    if values.shape != volume.voxels.shape:
        raise ValueError(f"values of {volume.voxels.shape} wanted, not {values.shape}")
    return _resample(values, volume, prepared.recipe, prepared.centre, prepared.slices)


def restore(maps: Voxels, prepared: Prepared, volume: CineVolume) -> Voxels:
    """`maps` (phase, slice, row, column) of the network's grid on the scanner's grid, float32.

    Linear in plane and in time; 0 outside the crop and in slices the network never saw.
    """
    if maps.shape != prepared.array.shape:
        raise ValueError(f"maps of {prepared.array.shape} wanted, not {maps.shape}")
    phases, _, rows, columns = volume.voxels.shape
    known = np.arange(prepared.recipe.phases) / prepared.recipe.phases
    grid = _crop_grid(volume, prepared.recipe, prepared.centre)
    target = _plane_grid(volume, (phases, rows, columns))
    restored = np.zeros(volume.voxels.shape, np.float32)
    for source in sorted(set(prepared.slices)):
        weights = _cyclic_weights(known, np.asarray(_cycle_fractions(volume, source)))
        planes = np.einsum("pq,qrc->prc", weights, maps[:, _own_index(prepared.slices, source)])
        image = sitk.GetImageFromArray(planes.astype(np.float32))
        image.SetOrigin(grid.GetOrigin())
        image.SetSpacing(grid.GetSpacing())
        restored[:, source] = sitk.GetArrayFromImage(sitk.Resample(image, target, sitk.Transform()))
    return restored


def _resample(
    values: Voxels, volume: CineVolume, recipe: Preprocessing, centre: Centre, chosen: tuple[int, ...]
) -> Voxels:
    wanted = np.arange(recipe.phases) / recipe.phases
    grid = np.empty((recipe.phases, len(chosen), recipe.pixels, recipe.pixels), np.float32)
    for source in sorted(set(chosen)):
        crop = _crop(values[:, source], volume, recipe, centre)
        moved = np.einsum("qp,prc->qrc", _cyclic_weights(_cycle_fractions(volume, source), wanted), crop)
        grid[:, [index for index, slice_ in enumerate(chosen) if slice_ == source]] = moved[:, None]
    return grid


def _choose_slices(slices: int, recipe: Preprocessing) -> tuple[int, ...]:
    if slices < recipe.min_slices:
        raise IncompleteCine(f"the stack has {slices} slices; at least {recipe.min_slices} are needed")
    first = (slices - recipe.slices) // 2
    return tuple(min(max(first + index, 0), slices - 1) for index in range(recipe.slices))


def _own_index(chosen: tuple[int, ...], source: int) -> int:
    """Where a slice lies among its repetitions: the innermost, next to its real neighbour."""
    places = [index for index, slice_ in enumerate(chosen) if slice_ == source]
    return places[-1] if source == chosen[0] else places[0]


def _plane_grid(volume: CineVolume, size: tuple[int, int, int]) -> Any:
    """A grid of whole planes, millimetres from the first pixel; the third axis only counts."""
    grid = sitk.Image(size[2], size[1], size[0], sitk.sitkUInt8)
    _, row_mm, column_mm = volume.geometry.spacing_mm
    grid.SetSpacing((column_mm, row_mm, 1.0))
    return grid


def _crop_grid(volume: CineVolume, recipe: Preprocessing, centre: Centre) -> Any:
    phases = volume.voxels.shape[0]
    _, row_mm, column_mm = volume.geometry.spacing_mm
    half = (recipe.pixels - 1) / 2 * recipe.spacing_mm
    grid = sitk.Image(recipe.pixels, recipe.pixels, phases, sitk.sitkUInt8)
    grid.SetSpacing((recipe.spacing_mm, recipe.spacing_mm, 1.0))
    grid.SetOrigin((centre.column * column_mm - half, centre.row * row_mm - half, 0.0))
    return grid


def _crop(planes: Voxels, volume: CineVolume, recipe: Preprocessing, centre: Centre) -> Voxels:
    image = sitk.GetImageFromArray(np.ascontiguousarray(planes))
    image.CopyInformation(_plane_grid(volume, planes.shape))
    return sitk.GetArrayFromImage(sitk.Resample(image, _crop_grid(volume, recipe, centre), sitk.Transform()))


def _cycle_fractions(volume: CineVolume, slice_: int) -> NDArray[np.float64]:
    """When each phase was taken, as fractions of the cycle; even steps where the times cannot be right."""
    times = np.asarray(volume.trigger_ms[slice_], float)
    cycle = volume.rr_ms[slice_]
    ordered = np.all(np.diff(times) > 0) and times[-1] - times[0] < cycle
    if not (np.isfinite(times).all() and np.isfinite(cycle) and ordered):
        return np.arange(len(times)) / len(times)
    return times / cycle


def _cyclic_weights(known: NDArray[np.float64], wanted: NDArray[np.float64]) -> Voxels:
    """(wanted, known): rows sum to 1. Linear interpolation on a circle of length 1."""
    start = known[0]
    places, asked = known - start, (wanted - start) % 1.0
    after = np.searchsorted(places, asked, side="right")
    before, after = after - 1, after % len(places)
    gap = (places[after] - places[before]) % 1.0
    share = np.divide(asked - places[before], gap, out=np.zeros_like(asked), where=gap > 0)
    weights = np.zeros((len(asked), len(places)), np.float32)
    rows = np.arange(len(asked))
    np.add.at(weights, (rows, before), 1.0 - share)
    np.add.at(weights, (rows, after), share)
    return weights


def _window(stack: Voxels, recipe: Preprocessing) -> Voxels:
    low, high = np.percentile(stack, (recipe.low_percentile, recipe.high_percentile))
    if not (np.isfinite([low, high]).all() and high > low):
        raise UnreadableInstance("the images show nothing: every pixel about the heart has the same value")
    scaled: Voxels = np.clip((stack - low) / (high - low), 0.0, 1.0).astype(np.float32)
    return scaled


def _notes(phases: int, slices: int, chosen: tuple[int, ...], recipe: Preprocessing) -> tuple[str, ...]:
    notes = (
        [f"{phases} phases resampled to {recipe.phases} over the cycle"] if phases != recipe.phases else []
    )
    if slices > recipe.slices:
        notes.append(f"the network saw slices {chosen[0] + 1} to {chosen[-1] + 1} of {slices}")
    elif slices < recipe.slices:
        notes.append(f"{slices} slices: the outer ones were repeated to make {recipe.slices}")
    return tuple(notes)
