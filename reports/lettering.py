"""Type on pictures: DejaVu Sans as matplotlib ships it, so that every machine sets the same page."""

from collections.abc import Iterable, Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, TypeAlias

import matplotlib as mpl
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from reports.overlay import colours

Colour: TypeAlias = tuple[int, int, int]

WHITE: Colour = (255, 255, 255)
BLACK: Colour = (0, 0, 0)


class _Face(ImageFont.FreeTypeFont):
    """A typeface that remembers the words it has set: every overlay bears the same ones."""

    def getmask2(self, text: Any, *args: Any, **kwargs: Any) -> tuple[Any, tuple[int, int]]:
        """See FreeTypeFont; equal questions have equal answers, and nobody writes on them."""
        return self._set(text, args, tuple(sorted(kwargs.items())))

    @lru_cache(maxsize=1024)  # noqa: B019 - faces live as long as the process
    def _set(
        self, text: Any, args: tuple[Any, ...], kwargs: tuple[tuple[str, Any], ...]
    ) -> tuple[Any, tuple[int, int]]:
        return super().getmask2(text, *args, **dict(kwargs))


@cache
def typeface(size: int, bold: bool = False) -> ImageFont.FreeTypeFont:
    """DejaVu Sans at `size` pixels."""
    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    path = Path(mpl.get_data_path()) / "fonts" / "ttf" / name
    return _Face(str(path), size, layout_engine=ImageFont.Layout.BASIC)


def wrapped(text: str, font: ImageFont.FreeTypeFont, width: int) -> list[str]:
    """`text` in lines of at most `width` pixels; a word that is longer is broken."""
    lines: list[str] = [""]
    for word in _pieces(text, font, width):
        longer = f"{lines[-1]} {word}".strip()
        if font.getlength(longer) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def fitting(text: str, width: float, sizes: Sequence[int], bold: bool = False) -> ImageFont.FreeTypeFont:
    """The first of `sizes` in which `text` is at most `width` pixels long; the last if none is."""
    faces = [typeface(size, bold) for size in sizes]
    return next((face for face in faces if face.getlength(text) <= width), faces[-1])


def fitted(text: str, font: ImageFont.FreeTypeFont, width: float) -> str:
    """`text`, cut so that it is at most `width` pixels long; an ellipsis says that it was."""
    if font.getlength(text) <= width:
        return text
    kept = next((n for n in range(len(text), 0, -1) if font.getlength(f"{text[:n]}…") <= width), 0)
    return f"{text[:kept].rstrip()}…"


def outlined(
    draw: ImageDraw.ImageDraw, place: tuple[float, float], text: str, size: int, anchor: str = "la"
) -> None:
    """White text with a dark edge, legible on any image."""
    draw.text(
        place,
        text,
        font=typeface(size),
        fill=WHITE,
        stroke_width=max(1, size // 9),
        stroke_fill=BLACK,
        anchor=anchor,
    )


def colour_bar(width: int, height: int) -> Image.Image:
    """The scale of the attention colours, 1 at the top."""
    ramp = colours(np.linspace(1.0, 0.0, height))
    column = np.rint(ramp * 255.0).astype(np.uint8)[:, None, :]
    return Image.fromarray(np.ascontiguousarray(np.repeat(column, width, axis=1)))


def _pieces(text: str, font: ImageFont.FreeTypeFont, width: int) -> Iterable[str]:
    for word in text.split():
        piece = ""
        for letter in word:
            if piece and font.getlength(piece + letter) > width:
                yield piece
                piece = ""
            piece += letter
        yield piece
