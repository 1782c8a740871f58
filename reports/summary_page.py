"""The page every viewer can show: the finding in words, where the network looked, and what to make of it."""

from typing import Final

import numpy as np
from PIL import ImageDraw
from pydicom.dataset import Dataset

from reports.draft import Draft
from reports.finding_panel import draw_finding
from reports.lettering import WHITE, typeface, wrapped
from reports.overlay import Picture
from reports.page_style import GREY, HEIGHT, RULE, WIDTH, blank_page
from reports.page_text import columns, paragraphs, set_column
from reports.picture_row import draw_pictures, shown_slices
from reports.secondary_capture import Capture, secondary_capture
from reports.wording import what_it_is

_MARGIN: Final = 48
_PICTURES_TOP: Final = 332
_NOTE_TOP: Final = 772


def build(draft: Draft) -> Dataset:
    """Instance 1 of the secondary captures, sealed."""
    capture = Capture(
        purpose="summary",
        number=1,
        pixels=page(draft),
        sources=[draft.source_at(draft.focus.phase, slice_) for slice_ in shown_slices(draft)],
        derivation="Summary of the structured report of the same result",
        series=draft.words.name,
    )
    return draft.seal(secondary_capture(draft, capture))


def page(draft: Draft) -> Picture:
    """The pixels (HEIGHT, WIDTH, 3). No patient identity."""
    image, draw = blank_page(draft.model, _MARGIN)
    draw_finding(draw, draft, _MARGIN, WIDTH - _MARGIN)
    draw_pictures(image, draw, draft, (_MARGIN, _PICTURES_TOP))
    top = _note(draw, draft) + 12
    draw.line((_MARGIN, top, WIDTH - _MARGIN, top), fill=RULE, width=2)
    texts = paragraphs(draft)
    for paragraph, box in zip(
        texts, columns(texts, (_MARGIN, top + 16, WIDTH - _MARGIN, HEIGHT - 20)), strict=True
    ):
        set_column(draw, paragraph, box, (WHITE, GREY))
    return np.asarray(image)


def _note(draw: ImageDraw.ImageDraw, draft: Draft) -> int:
    """What the map is and is not, once across the page; where that ends."""
    font, text = typeface(20), what_it_is(draft.context, draft.focus.located)
    lines = wrapped(text, font, WIDTH - 2 * _MARGIN)
    for number, line in enumerate(lines):
        draw.text((_MARGIN, _NOTE_TOP + 26 * number), line, font=font, fill=WHITE, anchor="la")
    return _NOTE_TOP + 26 * len(lines)
