"""The release's ablation without attention."""

from collections.abc import Sequence
from typing import Any

from models.axes import STUDY
from models.published import OF_SLICE_CHANNELS, Release, build_published

ATTENTION = ()
FEATURES = OF_SLICE_CHANNELS


def build(*, shape: Sequence[int] = STUDY) -> Any:
    """1,384,161 parameters."""
    return build_published("spatiotemporal_ref", Release(), shape)
