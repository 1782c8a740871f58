"""Two models on the same studies as a picture: every pair of probabilities, and how they are shifted."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from matplotlib.figure import Figure

from models.agreement import FEW, Agreement, Pair

_AGREE, _DIFFER, _LINE = "#3a6ea5", "#c8452d", "#888888"
_BINS: Final = 20


def write_agreement(path: Path, names: tuple[str, str], pairs: Sequence[Pair], found: Agreement) -> None:
    """Draw the comparison into a PNG. Equal arguments give equal bytes.

    `names` are what the two models are called.
    """
    figure = Figure(figsize=(11, 5.2), dpi=120, layout="constrained")
    scatter, shifts = figure.subplots(1, 2)
    _draw_pairs(scatter, names, pairs)
    _draw_shifts(shifts, pairs, found)
    few = f"; fewer than {FEW}: too few to conclude" if found.too_few else ""
    figure.suptitle(f"{found.studies} studies that both models read{few}")
    figure.savefig(path, metadata={"Software": None})


def _draw_pairs(axes: Any, names: tuple[str, str], pairs: Sequence[Pair]) -> None:
    """Probability against probability; what lies in the corner fields is decided differently."""
    for differ, colour, told in ((False, _AGREE, "same decision"), (True, _DIFFER, "other decision")):
        shown = [pair for pair in pairs if (pair.positive[0] != pair.positive[1]) is differ]
        at = [pair.first for pair in shown], [pair.second for pair in shown]
        axes.scatter(*at, s=18, color=colour, label=f"{told} ({len(shown)})")
    axes.plot((0, 1), (0, 1), color=_LINE, linewidth=0.8)
    if pairs:
        axes.axvline(pairs[-1].first_threshold, color=_LINE, linestyle=":")
        axes.axhline(pairs[-1].second_threshold, color=_LINE, linestyle=":")
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), aspect="equal")
    axes.set(xlabel=f"probability by {names[0]}", ylabel=f"probability by {names[1]}")
    axes.legend(loc="upper left", fontsize=8)


def _draw_shifts(axes: Any, pairs: Sequence[Pair], found: Agreement) -> None:
    axes.hist([pair.shift for pair in pairs], bins=_BINS, range=(-1, 1), color=_AGREE)
    axes.axvline(0, color=_LINE, linewidth=0.8)
    if found.shift_mean is not None:
        axes.axvline(found.shift_mean, color=_DIFFER, linestyle="--", label=f"mean {found.shift_mean:+.3f}")
        axes.legend(loc="upper left", fontsize=8)
    axes.set(xlabel="second minus first", ylabel="studies")
