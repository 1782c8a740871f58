"""The ablation without attention: kernels in space, then along the beat."""

from collections.abc import Sequence
from typing import Any

from models.cine4d import LAST_BLOCK, OPEN, Recipe, build_cine4d

ATTENTION = ()
FEATURES = LAST_BLOCK


def build(*, pooling: str = "mean", shape: Sequence[int | None] = OPEN) -> Any:
    """1,380,273 parameters with the mean-only head."""
    return build_cine4d("spatiotemporal", Recipe(pooling=pooling), shape)
