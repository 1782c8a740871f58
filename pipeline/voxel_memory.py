"""Memory that one volume after the other is put into."""

import math
import sys

import numpy as np
from numpy.typing import NDArray

_MOST_KEPT_BYTES = 256_000_000
_UNUSED = 2  # references to an array that nobody looks at: ours, and the one that is counted with


class VoxelMemory:
    """Keeps the memory of the last volume, for whoever assembles many: the system clears what it gives anew.

    Memory is given again when no array lies in it any more, however it was cut out of the volume. Of volumes
    larger than 256 MB nothing is kept. For one thread.
    """

    def __init__(self) -> None:
        self._kept = np.empty(0, np.float32)

    def room_for(self, shape: tuple[int, ...]) -> NDArray[np.float32]:
        """An array of this shape, with anything in it, another patient's voxels too: overwrite them all."""
        voxels = math.prod(shape)
        if voxels <= self._kept.size and sys.getrefcount(self._kept) == _UNUSED:
            return self._kept[:voxels].reshape(shape)
        fresh = np.empty(voxels, np.float32)
        if fresh.nbytes <= _MOST_KEPT_BYTES:
            self._kept = fresh
        return fresh.reshape(shape)
