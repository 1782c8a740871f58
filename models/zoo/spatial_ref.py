"""The release's spatial ablation; its kernels span three phases, so that it is not blind to their order."""

from collections.abc import Sequence
from typing import Any

from models.axes import STUDY
from models.published import OF_SLICE_CHANNELS, Release, build_published

ATTENTION = ()
FEATURES = OF_SLICE_CHANNELS


def build(*, shape: Sequence[int] = STUDY) -> Any:
    """902,129 parameters."""
    return build_published("spatial_ref", Release(time=False), shape)
