"""The ablation without space: every voxel's curve is seen alone."""

from collections.abc import Sequence
from typing import Any

from models.cine4d import LAST_BLOCK, OPEN, Recipe, build_cine4d

ATTENTION = ()
FEATURES = LAST_BLOCK


def build(*, pooling: str = "mean", shape: Sequence[int | None] = OPEN) -> Any:
    """The network; neighbours meet only where planes are halved, and in the head."""
    return build_cine4d("temporal", Recipe(space=False, pooling=pooling), shape)
