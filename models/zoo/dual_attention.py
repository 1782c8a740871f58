"""The ablation with spatiotemporal attention inside each pair of kernels, and none around the blocks.

The gate of each block's first kernels looks at what the block is given, and is shown as its attention.
"""

from collections.abc import Sequence
from typing import Any

from models.cine4d import BLOCKS, LAST_BLOCK, OPEN, Recipe, build_cine4d

ATTENTION = BLOCKS
FEATURES = LAST_BLOCK


def build(*, gate: str = "sigmoid", pooling: str = "mean", shape: Sequence[int | None] = OPEN) -> Any:
    """1,414,058 parameters with the mean-only head."""
    return build_cine4d("dual_attention", Recipe(unit_gate=True, gate=gate, pooling=pooling), shape)
