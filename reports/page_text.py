"""The small print of the summary page, and how it is set."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from PIL import ImageDraw

from reports.draft import Draft
from reports.lettering import Colour, typeface, wrapped
from reports.segment_saliency import convention, not_covered
from reports.wording import remarks

_SIZE = 17
_LEADING = 22
_FIRST_LINE = 34
_GAP = 28
MORE: Final = "... more in the report"
Box: TypeAlias = tuple[int, int, int, int]
"""Left, top, right and bottom in pixels."""


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A heading and its sentences, each of which begins a line; `share` is its weight in the page's width."""

    heading: str
    sentences: tuple[str, ...]
    share: float = 1.0


def paragraphs(draft: Draft) -> list[Paragraph]:
    """What the finding rests on: input and model, and where there are any, map and segments."""
    context, model = draft.context, draft.context.prediction.model
    quality = "Limited quality" if context.quality.limited else "Diagnostic quality"
    identity = (
        f"{model.name} {model.version} ({model.architecture})",
        f"Weights {model.weights_sha256[:12]}",
        f"Trained to predict: {model.label}",
        model.trained_on,
    )
    return [
        Paragraph("The input", (quality, context.quality.completeness, *remarks(context))),
        *_explained(draft),
        Paragraph("The model", identity, 0.85),
    ]


def _explained(draft: Draft) -> Iterator[Paragraph]:
    if draft.focus.located:
        yield Paragraph("The map", (draft.context.prediction.attention_method,))
    if draft.segments.values:
        yield Paragraph(
            "The bull's-eye", (not_covered(draft.segments.missing), *convention(draft.words)), 1.35
        )


def columns(texts: Sequence[Paragraph], frame: Box) -> list[Box]:
    """Boxes for `texts` side by side in `frame`, as wide as their shares say."""
    left, top, right, bottom = frame
    room = right - left - _GAP * (len(texts) - 1)
    whole = sum(text.share for text in texts)
    boxes = []
    for text in texts:
        width = int(room * text.share / whole)
        boxes.append((left, top, left + width, bottom))
        left += width + _GAP
    return boxes


def set_column(draw: ImageDraw.ImageDraw, text: Paragraph, box: Box, ink: tuple[Colour, Colour]) -> None:
    """Set a paragraph in `box`, in the colours of heading and text."""
    left, top, _, _ = box
    draw.text((left, top), text.heading, font=typeface(_SIZE + 4, bold=True), fill=ink[0], anchor="la")
    for number, line in enumerate(lines_of(text, box)):
        place = (left, top + _FIRST_LINE + number * _LEADING)
        draw.text(place, line, font=typeface(_SIZE), fill=ink[1], anchor="la")


def lines_of(text: Paragraph, box: Box) -> list[str]:
    """The lines of a paragraph that fit into `box`; where some do not, the last one sends to the report."""
    left, top, right, bottom = box
    lines = [line for sentence in text.sentences for line in wrapped(sentence, typeface(_SIZE), right - left)]
    room = (bottom - top - _FIRST_LINE) // _LEADING
    return lines if len(lines) <= room else [*lines[: room - 1], MORE]
