"""What a network can be computed with when memory is short: each rung takes less, and answers the same."""

from enum import StrEnum
from typing import Final


class Rung(StrEnum):
    """How an answer is computed. A process takes one rung when it starts, and stays on it."""

    USUAL = "usual"
    CPU = "cpu"
    FRUGAL = "frugal"


LAST: Final = Rung.FRUGAL
TOLERANCE: Final = 1e-4
"""By how much the probability of a lower rung may differ; the gates by ten times that."""

REMARKS: Final = {
    Rung.USUAL: "",
    Rung.CPU: "memory was short: the network was computed on the processor instead of the GPU",
    Rung.FRUGAL: (
        "memory was short: the network was computed phase by phase without its framework; the probability "
        f"differs from the usual computation's by less than {TOLERANCE:g}"
    ),
}
"""What the reader of a report is told."""


def below(rung: Rung, *, gpu: bool) -> Rung | None:
    """The next rung down on a machine with or without a GPU; None if there is none.

    Half precision is no rung: a CPU computes it by widening every number first, and saves nothing.
    """
    if rung is Rung.USUAL:
        return Rung.CPU if gpu else Rung.FRUGAL
    return Rung.FRUGAL if rung is Rung.CPU else None
