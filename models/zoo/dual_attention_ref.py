"""The release's ablation with attention in each unit, which is 1 everywhere."""

from collections.abc import Sequence
from typing import Any

from models.axes import STUDY
from models.published import OF_SLICE_CHANNELS, Release, build_published

ATTENTION = ()
FEATURES = OF_SLICE_CHANNELS


def build(*, shape: Sequence[int] = STUDY) -> Any:
    """1,418,090 parameters."""
    return build_published("dual_attention_ref", Release(unit_gate="before"), shape)
