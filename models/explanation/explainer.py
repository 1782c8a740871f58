"""The seam every method fits, and attention, which fits it at no cost."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, final

import numpy as np
from numpy.typing import NDArray

from models.attention import METHOD, combined, shown
from models.errors import InferenceFailed
from models.explanation.method import Method

Array = NDArray[np.float32]
Answer = tuple[float, Sequence[Array]]
"""P(scar) and the residual gates, as a network gives them."""
Forward = Callable[[Array], Answer]


@dataclass(frozen=True, slots=True, eq=False)
class Explained:
    """A map of one answer.

    Attributes:
        map: (phase, slice, row, column) float32 in 0..1 on the network's grid; None if it shows nothing.
        notes: sentences for the reader; without a map, why there is none.
    """

    map: Array | None
    notes: tuple[str, ...] = ()


class Explainer(Protocol):
    """Makes the map of an answer."""

    @property
    def method(self) -> Method:
        """How."""
        ...

    @property
    def statement(self) -> str:
        """What such a map is and is not, in words for the reader of a report."""
        ...

    def __call__(self, cine: Array, answer: Answer) -> Explained:
        """The map of `answer` about `cine` (phase, slice, row, column); same question, same bytes.

        Raises InferenceFailed if the network stumbles, OutOfMemory if that is why.
        """
        ...


@final
class GateMap:
    """Attention: the gates of the forward pass that gave the probability. `taught` is what taught them."""

    method = Method.ATTENTION

    def __init__(self, taught: str = "") -> None:
        self.statement = f"{METHOD} {taught}".strip()

    def __call__(self, cine: Array, answer: Answer) -> Explained:
        _, gates = answer
        if any(gate.ndim != cine.ndim or gate.shape[:2] != cine.shape[:2] for gate in gates):
            raise InferenceFailed("the network's attention does not lie on phases, slices, rows and columns")
        gate = combined(gates, cine.shape[-1])
        return Explained(
            shown(gate), (f"strongest attention gate {float(gate.max()):.2f}, where 1 is neutral",)
        )
