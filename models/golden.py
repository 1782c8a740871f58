"""Prepared studies and the answers a bundle gave to them when it was made: what it must still answer."""

import io
import zipfile
import zlib
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
        probability: (study,) float64 in 0..1, what the network answered to exactly these numbers.
    """

    cine: NDArray[np.float16]
    probability: NDArray[np.float64]

    def __post_init__(self) -> None:
        if self.cine.ndim != 5 or self.probability.shape != self.cine.shape[:1] or not len(self.cine):
            raise ValueError("golden studies are (study, phase, slice, row, column), with one answer each")
        if not (np.isfinite(self.cine).all() and ((self.probability >= 0) & (self.probability <= 1)).all()):
            raise ValueError("golden studies are finite numbers, and their answers lie in 0..1")


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
    try:
        if path.stat().st_size > MAX_GOLDEN_BYTES:
            raise WeightsCorrupt(f"{path} is over {MAX_GOLDEN_BYTES} bytes")
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise WeightsCorrupt(f"{path} cannot be read: {error.strerror}") from error
    return golden_of(data, str(path))


def golden_of(data: bytes, where: str) -> Golden:
    """The golden studies in the bytes of an .npz, `where` being what an error's sentence calls them.

    Raises WeightsCorrupt.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            if sum(member.file_size for member in packed.infolist()) > MAX_GOLDEN_BYTES:
                raise WeightsCorrupt(f"{where} holds golden studies of more than {MAX_GOLDEN_BYTES} bytes")
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            if set(arrays.files) != _KEYS:
                raise ValueError("it holds other arrays")
            return Golden(arrays["cine"].astype(np.float16), arrays["probability"].astype(np.float64))
    except (OSError, ValueError, KeyError, EOFError, MemoryError, zlib.error, zipfile.BadZipFile) as error:
        raise WeightsCorrupt(f"{where} holds no golden studies: {error}") from error
