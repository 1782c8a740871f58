"""The unevenness of living tissue: one fixed random pattern in space."""

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

_CELLS = 64
_CELL_MM = 1.6


def texture(local_mm: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
    """Unevenness at points (..., 3) mm: mean 0, standard deviation 1, smooth over some millimetres.

    The pattern repeats every 102 mm and is the same for every heart; its place is the heart's.
    """
    cells = np.rint(local_mm * (1 / _CELL_MM)).astype(np.int32) & (_CELLS - 1)
    pattern: NDArray[np.float32] = _lattice().ravel()[
        (cells[..., 0] * _CELLS + cells[..., 1]) * _CELLS + cells[..., 2]
    ]
    return pattern


@lru_cache(maxsize=1)
def _lattice() -> NDArray[np.float32]:
    """White noise, filtered so that what is smaller than about 5 mm fades; periodic."""
    rng = np.random.default_rng(0x54495353)
    spectrum = np.fft.rfftn(rng.standard_normal((_CELLS, _CELLS, _CELLS)))
    full, half = np.fft.fftfreq(_CELLS, _CELL_MM), np.fft.rfftfreq(_CELLS, _CELL_MM)
    square: NDArray[np.floating[Any]] = (
        full[:, None, None] ** 2 + full[None, :, None] ** 2 + half[None, None, :] ** 2
    )
    spectrum *= 1 / (1 + (square * 12.0**2) ** 1.5)
    pattern = np.fft.irfftn(spectrum)
    pattern -= pattern.mean()
    even: NDArray[np.float32] = (pattern / pattern.std()).astype(np.float32)
    return even
