"""When the heart contracts: one curve of the cycle for every part of it."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]

_KICK_STARTS = 0.84


def contraction(fraction: Floats, systole: float, early_share: float) -> Floats:
    """How far the beat has gone: 0 at end-diastole, 1 at end-systole.

    Ejection takes `systole` of the cycle; then `early_share` of the filling is fast, diastasis follows, and
    the atrial kick brings the rest at the end of the cycle.

    Args:
        fraction: time after the R wave as a share of the cycle, any shape; wraps at 1.
        systole: 0.2 to 0.5, the moment of end-systole.
        early_share: 0 to 1.
    """
    time = np.mod(fraction, 1.0)
    fast = min(systole + 0.26, _KICK_STARTS)
    ejected = _smooth(time / systole)
    filled = early_share * _smooth((time - systole) / (fast - systole))
    drifted = 0.06 * _smooth((time - fast) / (_KICK_STARTS - fast))
    kicked = (1 - early_share - 0.06) * _smooth((time - _KICK_STARTS) / (1 - _KICK_STARTS))
    curve: Floats = ejected - filled - drifted - kicked
    return np.clip(curve, 0.0, 1.0)


def _smooth(x: Floats) -> Floats:
    """A step from 0 to 1 with no corner at either end."""
    x = np.clip(x, 0.0, 1.0)
    step: Floats = x * x * (3 - 2 * x)
    return step
