"""The attention of a network, made its output."""

from collections.abc import Sequence
from typing import Any

import keras


def gate_name(block: str) -> str:
    """The layer whose output is the residual attention of `block`: (batch, phase, slice, row, column, 1)."""
    return f"{block}_attention"


def with_gates(network: Any, blocks: Sequence[str]) -> Any:
    """The same network and weights, its outputs [P(scar), then the residual gates of `blocks`]."""
    gates = [network.get_layer(gate_name(block)).output for block in blocks]
    return keras.Model(network.input, [network.output, *gates], name=f"{network.name}_with_gates")
