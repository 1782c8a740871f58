"""How whole numbers from 0 to 2047 become stored pixels, differently on every scanner, without any loss."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset


@dataclass(frozen=True, slots=True)
class Storage:
    """Stored value = (value - intercept) / slope; slopes are powers of two, so both ways are exact."""

    signed: bool
    bits: int
    slope: float = 1.0
    intercept: float = 0.0

    def encode(self, voxels: NDArray[np.floating[Any]]) -> bytes:
        """Little-endian 16-bit pixels."""
        stored = (np.asarray(voxels, np.float64) - self.intercept) / self.slope
        return stored.astype("<i2" if self.signed else "<u2").tobytes()

    def describe(self, dataset: Dataset, voxels: NDArray[np.floating[Any]]) -> None:
        """Write the Image Pixel module (PS3.3 C.7.6.3) for planes (..., row, column) into `dataset`."""
        dataset.SamplesPerPixel = 1
        dataset.PhotometricInterpretation = "MONOCHROME2"
        dataset.Rows, dataset.Columns = voxels.shape[-2:]
        dataset.BitsAllocated = 16
        dataset.BitsStored = self.bits
        dataset.HighBit = self.bits - 1
        dataset.PixelRepresentation = int(self.signed)
        dataset.add_new("PixelData", "OW", self.encode(voxels))
