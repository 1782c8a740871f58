"""The layouts of the public release: slices, or phases, are the channels of one (depth, row, column) grid.

So its "3D spatial" kernel runs over (phase, row, column), or its "temporal" kernel over the slices. They are
here to be compared with and to take weights that were trained with the release. Its attention is a softmax
over one channel, which is 1 everywhere: `gate="ref"` computes just that, and nothing of it is shown.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import keras

from models.axes import halved, slices_as_channels
from models.cine4d import BLOCKS, WIDTHS, gated, norm, skip
from models.explanation.features import Axis, Features, in_space
from models.gates import gate_name
from models.layers import AttentionGate

OF_SLICE_CHANNELS: Final = Features("block4_add", (Axis("phase"), *in_space()))
OF_PHASE_CHANNELS: Final = Features("block4_add", (Axis("slice"), *in_space()))
_TAPS: Final = 11


@dataclass(frozen=True, slots=True)
class Release:
    """Which parts a published network has.

    Attributes:
        space: its 3 x 3 x 3 kernels.
        time: its 11-tap kernels along the first axis.
        unit_gate: attention in each pair of kernels: "none", "before" the pair, or "after" each of the two,
            with the same weights.
        block_gate: attention at the head of each block.
        laid_out: how its axes come from ours.
    """

    space: bool = True
    time: bool = True
    unit_gate: str = "none"
    block_gate: bool = False
    laid_out: Callable[[Any], Any] = slices_as_channels


def build_published(name: str, release: Release, shape: Sequence[int]) -> Any:
    """The network: (batch, phase, slice, row, column, 1) float32 to (batch, 1) P(scar)."""
    cine = keras.Input(tuple(shape), name="cine")
    x = _unit(release.laid_out(cine), WIDTHS[0], release, "stem")
    x = keras.layers.BatchNormalization(momentum=0.99, epsilon=1e-3, name="stem_norm")(x)
    x = keras.layers.ReLU(name="stem_relu")(x)
    for block, width in zip(BLOCKS, WIDTHS, strict=True):
        x = halved(x, f"{block}_half")
        x = _block(x, width, release, block)
    x = keras.layers.GlobalAveragePooling3D(dtype="float32", name="summary")(x)
    probability = keras.layers.Dense(1, activation="sigmoid", dtype="float32", name="scar")(x)
    return keras.Model(cine, probability, name=name)


def _unit(x: Any, width: int, release: Release, name: str) -> Any:
    if release.unit_gate == "before":
        x = gated(x, width, "ref", f"{name}_focus")
    shared = AttentionGate(width, "ref", name=f"{name}_focus") if release.unit_gate == "after" else None
    if release.space:
        x = keras.layers.Conv3D(width, 3, padding="same", name=f"{name}_space")(x)
    if shared is not None:
        x = keras.layers.Multiply(name=f"{name}_space_gated")([x, shared(x)])
    if release.time:
        x = keras.layers.Conv3D(width, (_TAPS, 1, 1), padding="same", name=f"{name}_time")(x)
    if shared is not None:
        x = keras.layers.Multiply(name=f"{name}_time_gated")([x, shared(x)])
    return x


def _block(x: Any, width: int, release: Release, name: str) -> Any:
    y = gated(x, width, "ref", gate_name(name)) if release.block_gate else x
    y = norm(_unit(y, width, release, f"{name}_a"), f"{name}_a_norm")
    y = keras.layers.ReLU(name=f"{name}_relu")(y)
    y = norm(_unit(y, width, release, f"{name}_b"), f"{name}_b_norm")
    return keras.layers.Add(name=f"{name}_add")([skip(x, width, name), y])
