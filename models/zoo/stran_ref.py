"""ST-RAN as first released: slices as channels, and an attention that is 1 everywhere."""

from collections.abc import Sequence
from typing import Any

from models.axes import STUDY
from models.published import OF_SLICE_CHANNELS, Release, build_published

ATTENTION = ()
FEATURES = OF_SLICE_CHANNELS


def build(*, shape: Sequence[int] = STUDY) -> Any:
    """1,429,582 parameters, 1,429,550 of them trainable."""
    return build_published("stran_ref", Release(unit_gate="before", block_gate=True), shape)
