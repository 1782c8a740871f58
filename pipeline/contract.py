"""How a consumer says which volumes it wants."""

from dataclasses import dataclass

from pipeline.volume import CineVolume


@dataclass(frozen=True, slots=True)
class InputContract:
    """The volumes a model may be asked about.

    `max_filled` is the share of planes (0..1) that may have been interpolated because no image came.
    """

    min_phases: int = 8
    max_phases: int = 100
    min_slices: int = 1
    max_slices: int = 40
    max_pixels: int = 1024 * 1024
    max_filled: float = 0.0


def refusal(volume: CineVolume, contract: InputContract) -> str | None:
    """Why `volume` breaks `contract`, in words a technologist can read; None if it does not."""
    phases, slices, rows, columns = volume.voxels.shape
    if not contract.min_phases <= phases <= contract.max_phases:
        return f"{phases} phases; between {contract.min_phases} and {contract.max_phases} needed"
    if not contract.min_slices <= slices <= contract.max_slices:
        return f"{slices} slices; between {contract.min_slices} and {contract.max_slices} needed"
    if rows * columns > contract.max_pixels:
        return f"{rows} x {columns} pixels; at most {contract.max_pixels} in a plane"
    filled = len(volume.filled) / (phases * slices)
    if filled > contract.max_filled:
        return f"{filled:.1%} of the planes are missing; at most {contract.max_filled:.1%} may be"
    return None
