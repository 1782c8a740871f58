"""The sheet every picture of a judgement is drawn on: who and what above it, inks that everybody can part."""

from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties

# M. Okabe and K. Ito's colours, told apart by every kind of colour vision
BLUE: Final = "#0072B2"
ORANGE: Final = "#D55E00"
GREEN: Final = "#009E73"
PURPLE: Final = "#CC79A7"
GREY: Final = "#6E6E6E"
INKS: Final = (BLUE, ORANGE, GREEN, PURPLE, "#E69F00", "#56B4E9", "#000000")
DASHES: Final = ("solid", "dashed", "dashdot", "dotted")

_INCHES: Final = (6.4, 6.4)
_DPI: Final = 150
_LEFT: Final = 0.13


def chart(title: str, lines: tuple[str, ...], warning: str, draw: Callable[[Any], None]) -> bytes:
    """A PNG file: `title`, `lines` below it, `warning` at the foot, between them what `draw` puts on axes.

    The same arguments give the same bytes, whatever settings this machine has.
    """
    with mpl.rc_context(mpl.rcParamsDefault):
        figure = Figure(figsize=_INCHES, dpi=_DPI)
        axes = figure.add_axes((_LEFT, 0.14, 0.82, 0.66))
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(color="#E4E4E4", linewidth=0.8)
        axes.set_axisbelow(True)
        draw(axes)
        _write(figure, 0.955, title, 13, "DejaVuSans-Bold.ttf")
        for number, line in enumerate(lines):
            _write(figure, 0.91 - 0.032 * number, line, 8.5)
        _write(figure, 0.025, warning, 8.5, "DejaVuSans-Bold.ttf", ORANGE)
        file = BytesIO()
        figure.savefig(file, format="png", metadata={"Software": None})
    return file.getvalue()


def square(axes: Any, across: str, up: str) -> None:
    """Axes of two shares, 0 to 1."""
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), xlabel=across, ylabel=up)


def _write(
    figure: Figure, height: float, text: str, points: float, face: str = "DejaVuSans.ttf", ink: str = "black"
) -> None:
    font = FontProperties(fname=Path(mpl.get_data_path()) / "fonts" / "ttf" / face, size=points)
    figure.text(_LEFT, height, text, fontproperties=font, color=ink, va="center", parse_math=False)
