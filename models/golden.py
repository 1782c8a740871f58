"""Prepared studies and the answers a bundle gave to them when it was made: what it must still answer."""

import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.errors import WeightsCorrupt

GOLDEN_NAME: Final = "golden.npz"
MAX_GOLDEN_BYTES: Final = 64 * 1024 * 1024
_KEYS: Final = {"cine", "probability"}


@dataclass(frozen=True, slots=True, eq=False)
class Golden:
    """A few studies with their answers.

    Attributes:
        cine: (study, phase, slice, row, column) float16 in 0..1, on the recipe's grid.
        probability: (study,) float64, what the network answered.
    """

    cine: NDArray[np.float16]
    probability: NDArray[np.float64]

    def __post_init__(self) -> None:
        if self.cine.ndim != 5 or self.probability.shape != self.cine.shape[:1] or not len(self.cine):
            raise ValueError("golden studies are (study, phase, slice, row, column), with one answer each")
        if not (np.isfinite(self.cine).all() and np.isfinite(self.probability).all()):
            raise ValueError("golden studies and their answers are finite numbers")


def write_golden(golden: Golden, folder: Path) -> Path:
    """Write them beside a bundle's manifest; the file."""
    path = folder / GOLDEN_NAME
    np.savez_compressed(path, cine=golden.cine, probability=golden.probability)
    return path


def read_golden(folder: Path) -> Golden | None:
    """The golden studies of the bundle in `folder`; None if it has none.

    Raises WeightsCorrupt if they are too large or something else. Nothing in the file is executed.
    """
    path = folder / GOLDEN_NAME
    if not path.exists():
        return None
    try:
        with zipfile.ZipFile(path) as packed:
            if sum(member.file_size for member in packed.infolist()) > MAX_GOLDEN_BYTES:
                raise WeightsCorrupt(f"{path} unpacks to more than {MAX_GOLDEN_BYTES} bytes")
        with np.load(path, allow_pickle=False) as arrays:
            if set(arrays.files) != _KEYS:
                raise ValueError("it holds other arrays")
            return Golden(arrays["cine"].astype(np.float16), arrays["probability"].astype(np.float64))
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise WeightsCorrupt(f"{path} holds no golden studies: {error}") from error
