"""The release's ablation without attention."""

from collections.abc import Sequence
from typing import Any

from models.axes import STUDY
from models.published import Release, build_published

ATTENTION = ()


def build(*, shape: Sequence[int] = STUDY) -> Any:
    """1,384,161 parameters."""
    return build_published("spatiotemporal_ref", Release(), shape)
