"""The release's temporal ablation."""

from collections.abc import Sequence
from typing import Any

from models.axes import STUDY
from models.published import OF_SLICE_CHANNELS, Release, build_published

ATTENTION = ()
FEATURES = OF_SLICE_CHANNELS


def build(*, shape: Sequence[int] = STUDY) -> Any:
    """375,281 parameters."""
    return build_published("temporal_ref", Release(space=False), shape)
