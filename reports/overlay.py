"""An attention map over a grey image: the pixels, before any lettering."""

from functools import cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Picture = NDArray[np.uint8]

MOST_OPAQUE: Final = 0.65
"""The image stays visible under the strongest attention."""
SHOWN_FROM: Final = 0.1
"""Weaker attention (of 0..1) is not drawn."""
_OPAQUE_FROM = 0.5
_LEAST_SIDE = 512
_STEPS = 256


def upscaling(rows: int, columns: int, least_side: int = _LEAST_SIDE) -> int:
    """The whole factor that makes the shorter side at least `least_side` pixels."""
    return max(1, -(-least_side // min(rows, columns)))


def window_of(planes: NDArray[np.float32]) -> tuple[float, float]:
    """The values shown black and white: the 1st and 99th percentile of one plane or several."""
    low, high = np.percentile(planes, (1.0, 99.0)).tolist()
    return low, high


def blend(
    plane: NDArray[np.float32],
    attention: NDArray[np.float32] | None,
    factor: int,
    window: tuple[float, float] | None = None,
) -> Picture:
    """Colour picture (rows * factor, columns * factor, 3) of a plane under its attention (row, column; 0..1).

    Grey within `window`, by default the plane's own. Interpolated, so that pixel (0, 0) of the plane covers
    the first `factor` x `factor` pixels of the picture.
    """
    low, high = window or window_of(plane)
    grey = np.clip((plane - low) / max(high - low, 1e-6), 0.0, 1.0)
    shown = np.clip(_enlarged(grey, factor, Image.Resampling.BICUBIC), 0.0, 1.0)
    picture = np.repeat(_eight_bits(shown)[..., None], 3, axis=-1)
    if attention is not None:
        strength = np.clip(_enlarged(attention, factor, Image.Resampling.BILINEAR), 0.0, 1.0)
        covered = strength > SHOWN_FROM
        opacity = opacity_of(strength[covered])[:, None]
        mixed = (1.0 - opacity) * shown[covered][:, None] + opacity * colours(strength[covered])
        picture[covered] = _eight_bits(mixed)
    return picture


def opacity_of(strength: NDArray[Any]) -> NDArray[Any]:
    """How strongly attention covers the image: 0 below `SHOWN_FROM`, then rising to `MOST_OPAQUE`."""
    return MOST_OPAQUE * np.clip((strength - SHOWN_FROM) / (_OPAQUE_FROM - SHOWN_FROM), 0.0, 1.0)


def colours(strength: NDArray[Any]) -> NDArray[Any]:
    """RGB 0..1 of attention 0..1: a map of even lightness steps that colour-blind readers can order."""
    indices = np.rint(np.clip(strength, 0.0, 1.0) * (_STEPS - 1)).astype(np.intp)
    chosen: NDArray[Any] = _palette()[indices]
    return chosen


@cache
def _palette() -> NDArray[Any]:
    from matplotlib import colormaps

    palette: NDArray[Any] = np.asarray(colormaps["plasma"](np.linspace(0.0, 1.0, _STEPS)))[:, :3]
    return palette


def _enlarged(plane: NDArray[Any], factor: int, how: Image.Resampling) -> NDArray[Any]:
    rows, columns = plane.shape
    image = Image.fromarray(np.ascontiguousarray(plane, dtype=np.float32))
    return np.asarray(image.resize((columns * factor, rows * factor), how))


def _eight_bits(fractions: NDArray[Any]) -> Picture:
    return np.rint(fractions * 255.0).astype(np.uint8)
