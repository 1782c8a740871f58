"""ST-RAN: is there scar in this beating heart? (MICCAI 2023, DOI 10.1007/978-3-031-43895-0_60).

The network as the abstract describes it: a factorised 4D convolution (3D in space, then 1D in time),
spatiotemporal attention inside it, residual attention around it. Deviation from the published code, named in
the model card: slices are an axis of their own, gates are sigmoids that can differ from 1, and the head sees
the maximum of every channel beside its mean. Importing this module loads Keras.
"""

from collections.abc import Sequence
from typing import Any

from models.cine4d import BLOCKS, LAST_BLOCK, OPEN, Recipe, build_cine4d

ATTENTION = BLOCKS
FEATURES = LAST_BLOCK


def build(*, gate: str = "sigmoid", pooling: str = "mean+max", shape: Sequence[int | None] = OPEN) -> Any:
    """1,425,678 parameters with the mean+max head, 1,425,550 with the mean-only head of the paper."""
    return build_cine4d("stran", Recipe(unit_gate=True, block_gate=True, gate=gate, pooling=pooling), shape)
