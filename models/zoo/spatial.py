"""The ablation without time: every phase is seen alone, so that the order of the phases cannot matter."""

from collections.abc import Sequence
from typing import Any

from models.cine4d import LAST_BLOCK, OPEN, Recipe, build_cine4d

ATTENTION = ()
FEATURES = LAST_BLOCK


def build(*, pooling: str = "mean", shape: Sequence[int | None] = OPEN) -> Any:
    """The network; its mean and maximum over the phases know no order, whatever the head."""
    return build_cine4d("spatial", Recipe(time=False, pooling=pooling), shape)
