"""ST-RAN as released in its second version: phases as channels; its long kernel runs over the slices."""

from collections.abc import Sequence
from typing import Any

from models.axes import STUDY, phases_as_channels
from models.published import OF_PHASE_CHANNELS, Release, build_published

ATTENTION = ()
FEATURES = OF_PHASE_CHANNELS


def build(*, shape: Sequence[int] = STUDY) -> Any:
    """1,444,750 parameters."""
    return build_published(
        "stran_v2ref", Release(unit_gate="after", block_gate=True, laid_out=phases_as_channels), shape
    )
