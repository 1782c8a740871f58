"""The page of a notice: that there is no result, why, and what can be done. No patient identity."""

from typing import Final

import numpy as np
from PIL import ImageDraw

from reports.lettering import WHITE, Colour, typeface, wrapped
from reports.overlay import Picture
from reports.page_style import GREY, HEIGHT, WIDTH, blank_page
from reports.refusal import NOT_NORMAL, SUPERSEDES, NoticeContext

_MARGIN: Final = 96


def page(context: NoticeContext) -> Picture:
    """The pixels (HEIGHT, WIDTH, 3)."""
    image, draw = blank_page(None, _MARGIN)
    draw.text((_MARGIN, 240), "Not analysed", font=typeface(88, bold=True), fill=WHITE, anchor="ls")
    end = _set(draw, context.refusal.reason, 300, 36, WHITE)
    end = _set(draw, context.refusal.remedy, end + 44, 30, WHITE)
    _set(draw, " ".join([NOT_NORMAL, *([SUPERSEDES] if context.priors else [])]), end + 44, 30, GREY)
    signed = f"{context.equipment.model_name} {context.equipment.software_version}, cardiac cine MR"
    draw.text((_MARGIN, HEIGHT - 48), signed, font=typeface(22), fill=GREY, anchor="ls")
    return np.asarray(image)


def _set(draw: ImageDraw.ImageDraw, text: str, top: int, size: int, ink: Colour) -> int:
    """Set `text` across the page, its first line's top at `top`; where it ends."""
    font, leading = typeface(size), size * 3 // 2
    lines = wrapped(text, font, WIDTH - 2 * _MARGIN)
    for number, line in enumerate(lines):
        draw.text((_MARGIN, top + number * leading), line, font=font, fill=ink, anchor="la")
    return top + len(lines) * leading
