"""The true 4D family: kernels over (slice, row, column), then along the beat; slices are an axis of theirs.

What an ablation leaves out is said in a `Recipe`; the skeleton (stem, four residual blocks, each at half the
rows and columns of the one before) is common to all (MICCAI 2023, DOI 10.1007/978-3-031-43895-0_60).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import keras

from models.explanation.features import Axis, Features, in_space
from models.gates import gate_name
from models.layers import AttentionGate, GlobalSummary, InPlaneHalving, SpatialConv, TemporalConv

WIDTHS: Final = (16, 32, 64, 128)
BLOCKS: Final = ("block1", "block2", "block3", "block4")
LAST_BLOCK: Final = Features("block4_add", (Axis("phase"), Axis("slice"), *in_space()))
OPEN: Final[tuple[int | None, ...]] = (None, None, None, None, 1)
"""Any number of phases, slices, rows and columns."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """Which parts a network of the family has.

    Attributes:
        space: the 3 x 3 x 3 kernels over (slice, row, column).
        time: the 11-tap kernels along the phases.
        unit_gate: spatiotemporal attention before each pair of kernels.
        block_gate: residual attention at the head of each block.
        gate: what a gate does with its score, see `AttentionGate`.
        pooling: what the head sees, see `GlobalSummary`.
    """

    space: bool = True
    time: bool = True
    unit_gate: bool = False
    block_gate: bool = False
    gate: str = "sigmoid"
    pooling: str = "mean"


def build_cine4d(name: str, recipe: Recipe, shape: Sequence[int | None] = OPEN) -> Any:
    """The network: (batch, phase, slice, row, column, 1) float32 in 0..1 to (batch, 1) P(scar)."""
    cine = keras.Input(tuple(shape), name="cine")
    x = _unit(cine, WIDTHS[0], recipe, "stem")
    x = keras.layers.BatchNormalization(momentum=0.99, epsilon=1e-3, name="stem_norm")(x)
    x = keras.layers.ReLU(name="stem_relu")(x)
    for block, width in zip(BLOCKS, WIDTHS, strict=True):
        x = InPlaneHalving(name=f"{block}_half")(x)
        x = _block(x, width, recipe, block)
    # float32 also where the rest is trained in half precision: a mean over a million positions needs it
    x = GlobalSummary(recipe.pooling, dtype="float32", name="summary")(x)
    probability = keras.layers.Dense(1, activation="sigmoid", dtype="float32", name="scar")(x)
    return keras.Model(cine, probability, name=name)


def gated(x: Any, width: int, gate: str, name: str) -> Any:
    """`x` weighted by an attention gate of its own; its channels stay."""
    return keras.layers.Multiply(name=f"{name}_gated")([x, AttentionGate(width, gate, name=name)(x)])


def norm(x: Any, name: str) -> Any:
    """Layer normalisation over the channels."""
    return keras.layers.LayerNormalization(axis=-1, epsilon=1e-3, name=name)(x)


def skip(x: Any, width: int, name: str) -> Any:
    """What is added to a block's output: its input, projected where the number of channels changes."""
    if x.shape[-1] == width:
        return x
    return norm(keras.layers.Dense(width, name=f"{name}_skip")(x), f"{name}_skip_norm")


def _unit(x: Any, width: int, recipe: Recipe, name: str, focus: str = "") -> Any:
    if recipe.unit_gate:
        x = gated(x, width, recipe.gate, focus or f"{name}_focus")
    if recipe.space:
        x = SpatialConv(width, name=f"{name}_space")(x)
    return TemporalConv(width, name=f"{name}_time")(x) if recipe.time else x


def _block(x: Any, width: int, recipe: Recipe, name: str) -> Any:
    """The first gate of a block, of whichever kind, is its attention."""
    y = gated(x, width, recipe.gate, gate_name(name)) if recipe.block_gate else x
    focus = "" if recipe.block_gate else gate_name(name)
    y = norm(_unit(y, width, recipe, f"{name}_a", focus), f"{name}_a_norm")
    y = keras.layers.ReLU(name=f"{name}_relu")(y)
    y = norm(_unit(y, width, recipe, f"{name}_b"), f"{name}_b_norm")
    return keras.layers.Add(name=f"{name}_add")([skip(x, width, name), y])
