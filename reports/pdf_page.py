"""A picture on a page to print: A4 landscape, its own pixels, and text that can be searched."""

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Final

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties

from reports.overlay import Picture

A4_LANDSCAPE_INCH: Final = (297 / 25.4, 210 / 25.4)
LINE_POINTS: Final = 9
"""Size of the text below the picture."""
LINE_WIDTH_POINTS: Final = 780
"""How wide a line of it may be."""
_MARGIN_INCH = 0.4
_TOP_INCH = 0.6
_LINE_INCH = 0.18
_HEAD_POINTS = 13.0


def pdf_page(picture: Picture, heading: str, lines: Sequence[str], title: str, creator: str) -> bytes:
    """One page: `heading`, `picture` (row, column, 3) without loss and as large as fits, `lines` below it.

    The same arguments give the same bytes: no date is written. matplotlib's own DejaVu Sans is embedded, and
    no setting of this machine's counts.
    """
    width, height = A4_LANDSCAPE_INCH
    bottom = _MARGIN_INCH + _LINE_INCH * len(lines)
    with mpl.rc_context(mpl.rcParamsDefault):
        figure = Figure(figsize=A4_LANDSCAPE_INCH)
        _place(figure, picture, (_MARGIN_INCH, bottom, width - 2 * _MARGIN_INCH, height - _TOP_INCH - bottom))
        _write(figure, height - _TOP_INCH / 2, heading, _font("DejaVuSans-Bold.ttf", _HEAD_POINTS))
        for number, line in enumerate(lines):
            _write(figure, bottom - (number + 0.8) * _LINE_INCH, line, _font("DejaVuSans.ttf", LINE_POINTS))
        file = BytesIO()
        metadata = {"Title": title, "Creator": creator, "CreationDate": None}
        figure.savefig(file, format="pdf", metadata=metadata)
    return file.getvalue()


def _place(figure: Figure, picture: Picture, box: tuple[float, float, float, float]) -> None:
    """The picture in the middle of `box` (left, bottom, width, height in inches), its shape kept."""
    left, bottom, width, height = box
    rows, columns = picture.shape[:2]
    scale = min(width / columns, height / rows)
    own_width, own_height = columns * scale, rows * scale
    page_width, page_height = A4_LANDSCAPE_INCH
    axes = figure.add_axes(
        (
            (left + (width - own_width) / 2) / page_width,
            (bottom + (height - own_height) / 2) / page_height,
            own_width / page_width,
            own_height / page_height,
        )
    )
    axes.set_axis_off()
    # "none" writes the pixels as they are; anything else would resample them for the page
    axes.imshow(picture, aspect="auto", interpolation="none")


def _write(figure: Figure, y_inch: float, text: str, font: FontProperties) -> None:
    """One line from the left margin; "$" is no mathematics here."""
    width, height = A4_LANDSCAPE_INCH
    figure.text(
        _MARGIN_INCH / width, y_inch / height, text, fontproperties=font, va="center", parse_math=False
    )


def _font(name: str, points: float) -> FontProperties:
    return FontProperties(fname=Path(mpl.get_data_path()) / "fonts" / "ttf" / name, size=points)
