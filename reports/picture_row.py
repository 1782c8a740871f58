"""The row of pictures on the summary page: the bull's-eye, the most telling slices, and their one scale."""

from typing import Final

import numpy as np
from PIL import Image, ImageDraw

from reports.bullseye import bullseye
from reports.draft import Draft
from reports.focus import telling_slices
from reports.lettering import WHITE, colour_bar, fitting, typeface, wrapped
from reports.overlay import blend, upscaling, window_of
from reports.page_style import GREY, RULE

SIDE: Final = 396
_GAP: Final = 24
# Wide enough for a heart with its surroundings.
_FIELD_MM = 170.0


def shown_slices(draft: Draft) -> tuple[int, ...]:
    """The two most telling slices; without a map one from each third of the heart."""
    slices = draft.context.volume.voxels.shape[1]
    thirds = tuple(sorted({slices // 6, slices // 2, (5 * slices) // 6}))
    return telling_slices(draft.context, draft.focus, most=2) or thirds


def draw_pictures(
    image: Image.Image, draw: ImageDraw.ImageDraw, draft: Draft, corner: tuple[int, int]
) -> None:
    """The row with its headings and captions; `corner` is the left top of the first picture."""
    left, top = corner
    if draft.focus.located:
        _segments(image, draw, draft, corner)
        left += SIDE + _GAP
    left = _slices(image, draw, draft, (left, top))
    if draft.focus.located:
        _legend(image, draw, (left, top))


def _segments(image: Image.Image, draw: ImageDraw.ImageDraw, draft: Draft, corner: tuple[int, int]) -> None:
    """The bull's-eye, or in its place why there is none."""
    left, top = corner
    _heading(draw, corner, f"{draft.words.title} by AHA segment")
    if draft.segments.values:
        image.paste(bullseye(draft.segments, SIDE), corner)
        _caption(draw, corner, "RV insertions by convention, not detected")
        return
    draw.rectangle((left, top, left + SIDE - 1, top + SIDE - 1), outline=RULE, width=2)
    draw.text((left + 28, top + 36), "No bull's-eye", font=typeface(30, bold=True), fill=WHITE, anchor="la")
    reason = draft.segments.reason
    font = typeface(22)
    for number, line in enumerate(wrapped(reason[:1].upper() + reason[1:] + ".", font, SIDE - 56)):
        draw.text((left + 28, top + 96 + 32 * number), line, font=font, fill=GREY, anchor="la")


def _slices(image: Image.Image, draw: ImageDraw.ImageDraw, draft: Draft, corner: tuple[int, int]) -> int:
    """The slices side by side; where the next picture would begin."""
    left, top = corner
    phases, slices = draft.context.volume.voxels.shape[:2]
    phase = f"phase {draft.focus.phase + 1} of {phases}"
    _heading(
        draw,
        corner,
        f"{draft.words.shows}, {phase}" if draft.focus.located else f"Source images, {phase}",
    )
    for slice_ in shown_slices(draft):
        image.paste(_picture(draft, slice_), (left, top))
        _caption(draw, (left, top), f"slice {slice_ + 1} of {slices}, counted from the base")
        left += SIDE + _GAP
    return left


def _heading(draw: ImageDraw.ImageDraw, corner: tuple[int, int], text: str) -> None:
    draw.text((corner[0], corner[1] - 14), text, font=typeface(22, bold=True), fill=WHITE, anchor="ls")


def _caption(draw: ImageDraw.ImageDraw, corner: tuple[int, int], text: str) -> None:
    font = fitting(text, SIDE, (18, 17, 16))
    draw.text((corner[0], corner[1] + SIDE + 8), text, font=font, fill=GREY, anchor="la")


def _legend(image: Image.Image, draw: ImageDraw.ImageDraw, corner: tuple[int, int]) -> None:
    left, top = corner
    image.paste(colour_bar(22, SIDE), corner)
    for value in (0.0, 0.25, 0.5, 0.75, 1.0):
        y = top + (1.0 - value) * (SIDE - 1)
        draw.line((left + 22, y, left + 28, y), fill=GREY, width=2)
        at = min(max(y, top + 8), top + SIDE - 8)
        draw.text((left + 34, at), f"{value:g}", font=typeface(18), fill=GREY, anchor="lm")


def _picture(draft: Draft, slice_: int) -> Image.Image:
    """A square around the heart, `SIDE` pixels wide."""
    rows, columns = draft.context.volume.voxels.shape[2:]
    spacing = draft.context.volume.geometry.spacing_mm
    side = min(rows, columns, round(_FIELD_MM / max(spacing[1], spacing[2])))
    middle_row, middle_column = _middle(draft)
    top = min(max(0, round(middle_row - side / 2)), rows - side)
    left = min(max(0, round(middle_column - side / 2)), columns - side)
    here = np.s_[draft.focus.phase, slice_, top : top + side, left : left + side]
    volume, attention = draft.context.volume, draft.context.prediction.attention
    window = window_of(volume.voxels[draft.focus.phase, slice_])
    picture = blend(
        volume.voxels[here],
        None if attention is None else attention[here],
        upscaling(side, side, SIDE),
        window,
    )
    return Image.fromarray(picture).resize((SIDE, SIDE), Image.Resampling.LANCZOS)


def _middle(draft: Draft) -> tuple[float, float]:
    """Where the heart is: as the model found it, else the centre of gravity of the attention shown."""
    prediction = draft.context.prediction
    if prediction.centre is not None:
        return prediction.centre.row, prediction.centre.column
    if prediction.attention is None or not draft.focus.located:
        return draft.focus.row, draft.focus.column
    weight = prediction.attention[draft.focus.phase].sum(axis=0, dtype=np.float64) ** 2
    rows, columns = (np.arange(size) for size in weight.shape)
    total = weight.sum()
    return float(weight.sum(axis=1) @ rows / total), float(weight.sum(axis=0) @ columns / total)
